// PostgreSQL's text form of arrays: {1,2}, {"a b",NULL}. A list bound as one parameter.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace sluice::tracking::internal {

class ArrayText {
 public:
  void Add(int64_t value) { Append(fmt::format_int(value).str()); }
  void Add(double value) { Append(std::isnan(value) ? "NULL" : fmt::format("{}", value)); }
  void Add(std::string_view text) {
    Append("\"");
    for (char c : text) {
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += c;
    }
    text_ += '"';
  }
  void AddNull() { Append("NULL"); }
  /// The array so far.
  std::string Text() const { return text_ + "}"; }

 private:
  void Append(std::string_view element) {
    if (text_.size() > 1) text_ += ',';
    text_ += element;
  }

  std::string text_ = "{";
};

}  // namespace sluice::tracking::internal
