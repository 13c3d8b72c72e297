#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "formats/json.h"
#include "formats/json_text.h"

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
      AppendJsonText(value.AsString(), out_);
    } else if (value.is_array()) {
      PrintItems('[', ']', value.AsArray(), depth,
                 [&](const Json& item) { Print(item, depth + 1); });
    } else {
      PrintItems('{', '}', value.AsObject(), depth, [&](const Json::Member& member) {
        AppendJsonText(member.first, out_);
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
      AppendJsonText(PrintDouble(value), out_);
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
