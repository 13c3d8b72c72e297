#include "api/json_writer.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/utf8.h"

namespace sluice::api {

namespace {

/// Needs an escape, or is no ASCII.
constexpr bool IsPlain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

void AppendEscaped(unsigned char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

}  // namespace

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view value) {
  Separate();
  out_ += '"';
  size_t at = 0;
  while (at < value.size()) {
    size_t end = at;
    while (end < value.size() && IsPlain(static_cast<unsigned char>(value[end]))) ++end;
    out_.append(value, at, end - at);
    if (end == value.size()) break;
    const auto c = static_cast<unsigned char>(value[end]);
    if (c < 0x80) {
      AppendEscaped(c, out_);
      at = end + 1;
      continue;
    }
    const size_t size = Utf8CharacterSize(value.substr(end));
    out_ += size == 0 ? std::string_view("\xef\xbf\xbd") : value.substr(end, size);
    at = end + (size == 0 ? 1 : size);
  }
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::Int64(int64_t value) {
  Separate();
  char buffer[24];
  const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out_.append(buffer, end.ptr);
  return *this;
}

JsonWriter& JsonWriter::Double(double value) {
  if (std::isnan(value)) return String("NaN");
  if (std::isinf(value)) {
    value = value > 0 ? std::numeric_limits<double>::max() : std::numeric_limits<double>::lowest();
  }
  Separate();
  char buffer[40];
  const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof buffer, value);
  const std::string_view text(buffer, static_cast<size_t>(end.ptr - buffer));
  out_ += text;
  // A whole number stays a double to clients that tell them apart.
  if (text.find_first_of(".e") == std::string_view::npos) out_ += ".0";
  return *this;
}

JsonWriter& JsonWriter::PythonDouble(double value) {
  if (!std::isnan(value)) return Double(value);
  Separate();
  out_ += "NaN";
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  Separate();
  out_ += value ? "true" : "false";
  return *this;
}

}  // namespace sluice::api
