#include "formats/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

#include "base/utf8.h"
#include "formats/internal/yaml_text.h"

namespace sluice::formats {

std::string_view YamlText::Line(int line) const {
  size_t index = static_cast<size_t>(line - 1);
  if (line < 1 || index >= line_starts.size()) return {};
  size_t begin = line_starts[index];
  size_t end = index + 1 < line_starts.size() ? line_starts[index + 1] : text.size();
  while (end > begin && (text[end - 1] == '\n' || text[end - 1] == '\r')) --end;
  return std::string_view(text).substr(begin, end - begin);
}

std::string_view YamlText::ShownLine(int line) const {
  constexpr size_t kMaxShownLineBytes = 2'000;
  std::string_view whole = Line(line);
  return whole.size() <= kMaxShownLineBytes ? whole : std::string_view();
}

namespace {

constexpr size_t kShownTextBytes = 60;

std::string Shown(std::string_view text) {
  std::string shown(CutUtf8(text, kShownTextBytes));
  if (shown.size() < text.size()) shown += "...";
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return "'" + shown + "'";
}

bool AllOf(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kDigits = "0123456789";

std::string_view WithoutSign(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return text;
}

// The core schema's integers: [-+]?[0-9]+, 0o[0-7]+, 0x[0-9a-fA-F]+.
bool LooksInteger(std::string_view text) {
  if (text.starts_with("0x")) return AllOf(text.substr(2), "0123456789abcdefABCDEF");
  if (text.starts_with("0o")) return AllOf(text.substr(2), "01234567");
  return AllOf(WithoutSign(text), kDigits);
}

std::optional<int64_t> ReadInteger(std::string_view text) {
  if (!LooksInteger(text)) return std::nullopt;
  int base = 10;
  if (text.starts_with("0x")) base = 16;
  if (text.starts_with("0o")) base = 8;
  std::string_view digits = base == 10 ? text : text.substr(2);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int64_t value = 0;
  auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (status != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?, [-+]?\.(inf|Inf|INF), \.(nan|NaN|NAN).
std::optional<double> ReadDouble(std::string_view text) {
  std::string_view rest = WithoutSign(text);
  bool is_negative = text.starts_with('-');
  if (rest == ".inf" || rest == ".Inf" || rest == ".INF") {
    double infinity = std::numeric_limits<double>::infinity();
    return is_negative ? -infinity : infinity;
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  size_t whole_end = std::min(rest.find_first_not_of(kDigits), rest.size());
  size_t mantissa_end = whole_end;
  if (mantissa_end < rest.size() && rest[mantissa_end] == '.') {
    mantissa_end = std::min(rest.find_first_not_of(kDigits, mantissa_end + 1), rest.size());
  }
  size_t mantissa_digits = mantissa_end - (mantissa_end > whole_end ? 1 : 0);
  if (mantissa_digits == 0) return std::nullopt;
  if (mantissa_end < rest.size()) {
    if (rest[mantissa_end] != 'e' && rest[mantissa_end] != 'E') return std::nullopt;
    if (!AllOf(WithoutSign(rest.substr(mantissa_end + 1)), kDigits)) return std::nullopt;
  }
  double value = 0;
  auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (end != rest.data() + rest.size()) return std::nullopt;
  if (status == std::errc::result_out_of_range) {
    // from_chars leaves the value alone; strtod gives zero, a denormal or infinity.
    value = std::strtod(std::string(rest).c_str(), nullptr);
  }
  return is_negative ? -value : value;
}

std::optional<bool> ReadBool(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

}  // namespace

std::string_view YamlNode::KindName() const {
  switch (kind_) {
    case Kind::kNull: return "nothing";
    case Kind::kScalar: return "a text";
    case Kind::kSequence: return "a list";
    case Kind::kMapping: return "a mapping";
  }
  return "nothing";
}

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const Entry& entry : entries_) {
    if (entry.key.text() == key) return &entry.value;
  }
  return nullptr;
}

Source YamlNode::source() const {
  if (!document_) return {};
  return {.file = document_->file,
          .line = line_,
          .column = column_,
          .text = std::string(document_->ShownLine(line_))};
}

Error YamlNode::ErrorHere(std::string message) const {
  return InvalidArgument(std::move(message)).At(source());
}

Result<bool> YamlNode::AsBool() const {
  if (kind_ != Kind::kScalar) {
    return ErrorHere(fmt::format("expected true or false, found {}", KindName()));
  }
  if (is_quoted_) {
    return ErrorHere(fmt::format("expected true or false, found the quoted text {}", Shown(text_)));
  }
  std::optional<bool> value = ReadBool(text_);
  if (value) return *value;
  std::string hint;
  if (text_ == "yes" || text_ == "on" || text_ == "Yes" || text_ == "On") hint = "; write true";
  if (text_ == "no" || text_ == "off" || text_ == "No" || text_ == "Off") hint = "; write false";
  return ErrorHere(fmt::format("expected true or false, found {}{}", Shown(text_), hint));
}

Result<int64_t> YamlNode::AsInteger() const {
  if (kind_ != Kind::kScalar) {
    return ErrorHere(fmt::format("expected a whole number, found {}", KindName()));
  }
  if (is_quoted_) {
    return ErrorHere(
        fmt::format("expected a whole number, found the quoted text {}", Shown(text_)));
  }
  std::optional<int64_t> value = ReadInteger(text_);
  if (value) return *value;
  if (LooksInteger(text_)) {
    return ErrorHere(fmt::format("{} is beyond what 64 bits hold", Shown(text_)));
  }
  return ErrorHere(fmt::format("expected a whole number, found {}", Shown(text_)));
}

Result<double> YamlNode::AsDouble() const {
  if (kind_ != Kind::kScalar) {
    return ErrorHere(fmt::format("expected a number, found {}", KindName()));
  }
  if (is_quoted_) {
    return ErrorHere(fmt::format("expected a number, found the quoted text {}", Shown(text_)));
  }
  if (std::optional<int64_t> integer = ReadInteger(text_)) return static_cast<double>(*integer);
  if (std::optional<double> value = ReadDouble(text_)) return *value;
  return ErrorHere(fmt::format("expected a number, found {}", Shown(text_)));
}

Result<std::string> YamlNode::AsString() const {
  if (kind_ != Kind::kScalar) {
    return ErrorHere(fmt::format("expected a text, found {}", KindName()));
  }
  return text_;
}

Json YamlNode::ToJson() const {
  switch (kind_) {
    case Kind::kNull: return nullptr;
    case Kind::kScalar:
      if (is_quoted_) return text_;
      if (std::optional<bool> value = ReadBool(text_)) return *value;
      if (std::optional<int64_t> value = ReadInteger(text_)) return *value;
      if (std::optional<double> value = ReadDouble(text_)) return *value;
      return text_;
    case Kind::kSequence: {
      Json::Array array;
      array.reserve(items_.size());
      for (const YamlNode& item : items_) array.push_back(item.ToJson());
      return array;
    }
    case Kind::kMapping: {
      Json::Object object;
      object.reserve(entries_.size());
      for (const Entry& entry : entries_)
        object.emplace_back(entry.key.text(), entry.value.ToJson());
      return object;
    }
  }
  return nullptr;
}

}  // namespace sluice::formats
