#include "table/internal/value_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "table/time_text.h"

namespace sluice::table::internal {

namespace {

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

std::string_view Trimmed(std::string_view text) {
  auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool Contains(const std::vector<std::string>& spellings, std::string_view text) {
  return std::find(spellings.begin(), spellings.end(), text) != spellings.end();
}

bool IsGivenNumber(std::string text) {
  text.reserve(text.size() + 64);
  double number = 0;
  return ParseDouble(text.data(), text.data() + text.size(), NumberForm::kGiven, number);
}

}  // namespace

ColumnType TypeOfKinds(KindSet kinds) {
  constexpr KindSet kNumbers = kIntegerKind | kHugeIntegerKind | kRealKind;
  if (kinds == kNoKind) return ColumnType::kString;
  if (kinds == kBoolKind) return ColumnType::kBool;
  if (kinds == kIntegerKind) return ColumnType::kInt64;
  if ((kinds & ~kNumbers) == 0 && (kinds & kRealKind) != 0) return ColumnType::kDouble;
  if (kinds == kDateKind) return ColumnType::kDate;
  if ((kinds & ~(kDateKind | kTimestampKind)) == 0) return ColumnType::kTimestamp;
  return ColumnType::kString;
}

KindSet KindsOfType(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return kBoolKind;
    case ColumnType::kInt64: return kIntegerKind;
    case ColumnType::kDouble: return kRealKind;
    case ColumnType::kDate: return kDateKind;
    case ColumnType::kTimestamp: return kTimestampKind;
    case ColumnType::kString: return kTextKind;
  }
  return kTextKind;
}

bool IsBlankText(std::string_view text) { return Trimmed(text).empty(); }

Result<ValueRules> ValueRules::Compile(const CsvOptions& options) {
  ValueRules rules;
  if (options.decimal_point != '.' && options.decimal_point != ',') {
    return InvalidArgument(
        fmt::format("decimal point '{}' must be '.' or ','", options.decimal_point));
  }
  rules.decimal_point_ = options.decimal_point;
  if (options.thousands_separator) {
    char separator = *options.thousands_separator;
    if (std::string_view(",.'_ ").find(separator) == std::string_view::npos ||
        separator == options.decimal_point) {
      return InvalidArgument(fmt::format(
          "thousands separator '{}' must be one of , . ' _ and blank, and not the decimal point",
          separator));
    }
    rules.thousands_separator_ = separator;
  }
  for (const std::string& format : options.date_formats) {
    ASSIGN_OR_RETURN(DateFormat compiled, DateFormat::Compile(format));
    rules.date_formats_.push_back(std::move(compiled));
  }
  rules.true_spellings_ = options.true_spellings;
  rules.false_spellings_ = options.false_spellings;
  for (const std::string& spelling : rules.true_spellings_) {
    if (!IsGivenNumber(spelling)) rules.inferred_true_.push_back(spelling);
  }
  for (const std::string& spelling : rules.false_spellings_) {
    if (!IsGivenNumber(spelling)) rules.inferred_false_.push_back(spelling);
  }
  for (const std::string& spelling : rules.true_spellings_) {
    if (Contains(rules.false_spellings_, spelling)) {
      return InvalidArgument(fmt::format("'{}' is listed as true and as false", spelling));
    }
  }
  rules.has_usual_bools_ =
      Contains(rules.true_spellings_, "true") && Contains(rules.false_spellings_, "false");
  rules.unquoted_nulls_ = options.null_spellings;
  rules.any_nulls_ = options.added_null_spellings;
  if (options.quoted_nulls) {
    rules.any_nulls_.insert(rules.any_nulls_.end(), options.null_spellings.begin(),
                            options.null_spellings.end());
  }
  for (const std::vector<std::string>* list : {&rules.unquoted_nulls_, &rules.any_nulls_}) {
    for (const std::string& spelling : *list) {
      uint32_t bit = uint32_t{1} << std::min<size_t>(spelling.size(), 31);
      if (spelling.empty()) {
        rules.empty_lengths_ |= bit;
      } else {
        rules.null_lengths_[static_cast<unsigned char>(spelling[0])] |= bit;
      }
    }
  }
  for (const std::vector<std::string>* list : {&rules.unquoted_nulls_, &rules.any_nulls_}) {
    for (const std::string& spelling : *list)
      rules.has_null_that_is_value_ |= rules.IsValue(spelling);
  }
  return rules;
}

ValueRules ValueRules::ForJsonStrings() {
  ValueRules rules;
  rules.has_numbers_ = false;
  return rules;
}

/// Whether some typed column would take the text; not for "NaN", which decoders ask about anyway.
bool ValueRules::IsValue(std::string_view text) const {
  std::string slack(text);
  slack.reserve(text.size() + 64);
  double number = 0;
  bool truth = false;
  if (ToDouble(slack, NumberForm::kGiven, number)) return !std::isnan(number);
  KindSet kind = ValueKind(slack);
  return (kind != kNoKind && kind != kTextKind) || ToBool(slack, NumberForm::kGiven, truth);
}

bool ValueRules::IsListedNull(std::string_view text, bool is_quoted) const {
  return Contains(any_nulls_, text) || (!is_quoted && Contains(unquoted_nulls_, text));
}

std::string_view ValueRules::Plain(std::string_view text, std::string& scratch) const {
  if (has_plain_numbers()) return text;
  scratch.clear();
  scratch.reserve(text.size() + 64);
  size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) scratch += text[at++];
  size_t group = 0;
  bool has_groups = false;
  for (; at < text.size() && (IsDigit(text[at]) || text[at] == thousands_separator_); ++at) {
    if (text[at] != thousands_separator_) {
      scratch += text[at];
      if (++group > 3 && has_groups) return {};
      continue;
    }
    if (group == 0 || group > 3 || (has_groups && group != 3)) return {};
    has_groups = true;
    group = 0;
  }
  if (has_groups && group != 3) return {};
  for (; at < text.size(); ++at) {
    if (text[at] == decimal_point_) {
      scratch += '.';
    } else if (text[at] == '.') {
      return {};
    } else {
      scratch += text[at];
    }
  }
  return scratch;
}

bool ValueRules::ToBool(std::string_view text, NumberForm form, bool& value) const {
  text = Trimmed(text);
  if (text.empty()) return false;
  bool is_given = form == NumberForm::kGiven;
  value = Contains(is_given ? true_spellings_ : inferred_true_, text);
  return value || Contains(is_given ? false_spellings_ : inferred_false_, text);
}

bool ValueRules::ToInt64(std::string_view text, NumberForm form, int64_t& value) const {
  std::string scratch;
  text = Plain(Trimmed(text), scratch);
  return ParseInt64(text.data(), text.data() + text.size(), form, value);
}

bool ValueRules::ToDouble(std::string_view text, NumberForm form, double& value) const {
  std::string scratch;
  text = Plain(Trimmed(text), scratch);
  return ParseDouble(text.data(), text.data() + text.size(), form, value);
}

bool ValueRules::ToDate(std::string_view text, int32_t& days) const {
  text = Trimmed(text);
  for (const DateFormat& format : date_formats_) {
    int64_t micros = 0;
    if (format.has_time() || !format.Parse(text, micros)) continue;
    days = static_cast<int32_t>(micros / kMicrosPerDay);
    return true;
  }
  std::optional<int32_t> iso = ParseIsoDate(text);
  if (iso) days = *iso;
  return iso.has_value();
}

bool ValueRules::ToTimestamp(std::string_view text, NumberForm form, int64_t& micros) const {
  text = Trimmed(text);
  for (const DateFormat& format : date_formats_) {
    if (format.Parse(text, micros)) return true;
  }
  std::optional<int64_t> iso = ParseIsoTimestamp(
      text, {.cuts_fraction = form == NumberForm::kGiven, .takes_date_only = true});
  if (iso) micros = *iso;
  return iso.has_value();
}

KindSet ValueRules::ValueKind(std::string_view text) const {
  text = Trimmed(text);
  if (text.empty()) return kNoKind;
  for (const DateFormat& format : date_formats_) {
    int64_t micros = 0;
    if (format.Parse(text, micros)) return format.has_time() ? kTimestampKind : kDateKind;
  }
  if (has_numbers_) {
    bool truth = false;
    int64_t integer = 0;
    double number = 0;
    if (ToBool(text, NumberForm::kInferred, truth)) return kBoolKind;
    if (ToInt64(text, NumberForm::kInferred, integer)) return kIntegerKind;
    std::string scratch;
    std::string_view plain = Plain(text, scratch);
    if (IsHugeInteger(plain.data(), plain.data() + plain.size())) {
      return ToDouble(text, NumberForm::kInferred, number) ? kHugeIntegerKind : kTextKind;
    }
    if (ToDouble(text, NumberForm::kInferred, number)) return kRealKind;
  }
  if (ParseIsoDate(text)) return kDateKind;
  if (ParseIsoTimestamp(text)) return kTimestampKind;
  return kTextKind;
}

KindSet ValueRules::Kind(std::string_view text, bool is_quoted) const {
  return IsNull(text, is_quoted) ? kNoKind : ValueKind(text);
}

}  // namespace sluice::table::internal
