#include "api/json_writer.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "formats/json_text.h"

namespace sluice::api {

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view value) {
  Separate();
  formats::AppendJsonText(value, out_);
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
