#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "formats/json.h"

namespace sluice::formats {

std::string PrintDouble(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[40];
  std::to_chars_result end = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

namespace {

void PrintString(std::string_view text, std::string& out) {
  out += '"';
  size_t at = 0;
  while (at < text.size()) {
    auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x80) {
      size_t size = Utf8CharacterSize(text.substr(at));
      out += size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(at, size);
      at += std::max<size_t>(size, 1);
      continue;
    }
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        if (c < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04x}", c);
        } else {
          out += static_cast<char>(c);
        }
    }
    ++at;
  }
  out += '"';
}

class Printer {
 public:
  Printer(const JsonPrintOptions& options, std::string& out) : options_(options), out_(out) {}

  void Print(const Json& value, int depth) {
    if (value.is_null()) {
      out_ += "null";
    } else if (value.is_bool()) {
      out_ += value.AsBool() ? "true" : "false";
    } else if (value.is_integer()) {
      out_ += fmt::format_int(value.AsInteger()).c_str();
    } else if (value.is_double()) {
      PrintNumber(value.AsDouble());
    } else if (value.is_string()) {
      PrintString(value.AsString(), out_);
    } else if (value.is_array()) {
      PrintItems('[', ']', value.AsArray(), depth,
                 [&](const Json& item) { Print(item, depth + 1); });
    } else {
      PrintItems('{', '}', value.AsObject(), depth, [&](const Json::Member& member) {
        PrintString(member.first, out_);
        out_ += options_.indent > 0 || options_.spaced ? ": " : ":";
        Print(member.second, depth + 1);
      });
    }
  }

 private:
  void PrintNumber(double value) {
    using NonFinite = JsonPrintOptions::NonFinite;
    if (std::isfinite(value) || options_.non_finite == NonFinite::kPythonLiteral) {
      out_ += PrintDouble(value);
    } else if (options_.non_finite == NonFinite::kNull) {
      out_ += "null";
    } else {
      PrintString(PrintDouble(value), out_);
    }
  }

  template <typename Items, typename PrintItem>
  void PrintItems(char open, char close, const Items& items, int depth,
                  const PrintItem& print_item) {
    out_ += open;
    bool is_first = true;
    for (const auto& item : items) {
      if (!is_first) out_ += options_.indent == 0 && options_.spaced ? ", " : ",";
      is_first = false;
      BreakLine(depth + 1);
      print_item(item);
    }
    if (!items.empty()) BreakLine(depth);
    out_ += close;
  }

  void BreakLine(int depth) {
    if (options_.indent == 0) return;
    out_ += '\n';
    out_.append(static_cast<size_t>(depth * options_.indent), ' ');
  }

  const JsonPrintOptions& options_;
  std::string& out_;
};

}  // namespace

std::string PrintJson(const Json& value, const JsonPrintOptions& options) {
  std::string out;
  Printer(options, out).Print(value, 0);
  return out;
}

}  // namespace sluice::formats
