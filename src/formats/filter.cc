// What all who search share: names of comparators and entities, checks of values, matchers.
#include "formats/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/utf8.h"

namespace sluice::formats {
namespace {

struct ComparatorRow {
  Comparator comparator;
  Comparator positive;
  bool suits_text;
  bool suits_numbers;
  std::string_view text;
};
constexpr ComparatorRow kComparators[] = {
    {Comparator::kEqual, Comparator::kEqual, true, true, "="},
    {Comparator::kNotEqual, Comparator::kEqual, true, true, "!="},
    {Comparator::kLess, Comparator::kLess, false, true, "<"},
    {Comparator::kLessOrEqual, Comparator::kLessOrEqual, false, true, "<="},
    {Comparator::kGreater, Comparator::kGreater, false, true, ">"},
    {Comparator::kGreaterOrEqual, Comparator::kGreaterOrEqual, false, true, ">="},
    {Comparator::kLike, Comparator::kLike, true, false, "LIKE"},
    {Comparator::kNotLike, Comparator::kLike, true, false, "NOT LIKE"},
    {Comparator::kILike, Comparator::kILike, true, false, "ILIKE"},
    {Comparator::kNotILike, Comparator::kILike, true, false, "NOT ILIKE"},
    {Comparator::kIn, Comparator::kIn, true, true, "IN"},
    {Comparator::kNotIn, Comparator::kIn, true, true, "NOT IN"},
    {Comparator::kBetween, Comparator::kBetween, false, true, "BETWEEN"},
    {Comparator::kNotBetween, Comparator::kBetween, false, true, "NOT BETWEEN"},
    {Comparator::kIsNull, Comparator::kIsNull, true, true, "IS NULL"},
    {Comparator::kIsNotNull, Comparator::kIsNotNull, true, true, "IS NOT NULL"},
};
const ComparatorRow& RowOf(Comparator comparator) {
  const ComparatorRow& row = kComparators[static_cast<size_t>(comparator)];
  CHECK(row.comparator == comparator);
  return row;
}

struct EntityRow {
  std::string_view word;
  FilterEntity entity;
};
constexpr EntityRow kEntities[] = {
    {"attribute", FilterEntity::kAttribute},
    {"metric", FilterEntity::kMetric},
    {"parameter", FilterEntity::kParam},
    {"tag", FilterEntity::kTag},
    {"dataset", FilterEntity::kDataset},
    {"attributes", FilterEntity::kAttribute},
    {"attr", FilterEntity::kAttribute},
    {"run", FilterEntity::kAttribute},
    {"metrics", FilterEntity::kMetric},
    {"param", FilterEntity::kParam},
    {"params", FilterEntity::kParam},
    {"parameters", FilterEntity::kParam},
    {"tags", FilterEntity::kTag},
    {"datasets", FilterEntity::kDataset},
};

struct AggregateRow {
  std::string_view end;
  Aggregate aggregate;
};
constexpr AggregateRow kAggregates[] = {{".min", Aggregate::kMin},
                                        {".max", Aggregate::kMax},
                                        {".last", Aggregate::kLast},
                                        {".best", Aggregate::kBest}};

/// The value as it was written.
std::string Written(const FilterValue& value) {
  return value.kind == FilterValue::Kind::kText ? fmt::format("'{}'", CutUtf8(value.text, 100))
                                                : std::string(CutUtf8(value.text, 100));
}

Error WrongNumber(const Filter& filter, const FilterCondition& condition, FilterEntity entity,
                  const FilterValue& value) {
  if (entity == FilterEntity::kAttribute) {
    return filter.Fail(
        value.position,
        fmt::format("Expected numeric value type for numeric attribute: {}. Found {}",
                    condition.key.name, Written(value)));
  }
  return filter.Fail(value.position, fmt::format("Expected numeric value type for {}. Found {}",
                                                 FilterEntityName(entity), Written(value)));
}

Error WrongText(const Filter& filter, FilterEntity entity, const FilterValue& value) {
  // A bare word was surely meant as text; a number may have been meant as a number.
  bool is_word = !value.is_number() && !value.text.empty() && value.text[0] != '-' &&
                 !(value.text[0] >= '0' && value.text[0] <= '9');
  std::string message;
  if (is_word) {
    message = fmt::format(
        "Parameter value is either not quoted or unidentified quote types used for string value "
        "{}. "
        "Use either single or double quotes.",
        Written(value));
  } else if (entity == FilterEntity::kAttribute) {
    message =
        fmt::format("Expected a quoted string value for attributes. Got value {}", Written(value));
  } else if (entity == FilterEntity::kDataset) {
    message = fmt::format("Expected a quoted string value for dataset attributes. Got value {}",
                          Written(value));
  } else {
    message = fmt::format("Expected a quoted string value for {} (e.g. 'my-value'). Got value {}",
                          FilterEntityName(entity), Written(value));
  }
  return filter.Fail(value.position, message);
}

char FoldCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Bytes of the character at the start, one where it is not UTF-8.
size_t StepSize(std::string_view text) { return std::max<size_t>(1, Utf8CharacterSize(text)); }

}  // namespace

std::string_view ComparatorText(Comparator comparator) { return RowOf(comparator).text; }
bool IsNegative(Comparator comparator) { return RowOf(comparator).positive != comparator; }
Comparator PositiveOf(Comparator comparator) { return RowOf(comparator).positive; }

AggregateName SplitAggregate(std::string_view name) {
  for (const AggregateRow& row : kAggregates) {
    if (name.size() > row.end.size() && name.ends_with(row.end))
      return {name.substr(0, name.size() - row.end.size()), row.aggregate};
  }
  return {};
}

Error FilterError(std::string_view text, size_t position, std::string_view message) {
  position = std::min(position, text.size());
  auto character = 1 + std::count_if(text.begin(), text.begin() + static_cast<ptrdiff_t>(position),
                                     [](char c) { return (c & 0xc0) != 0x80; });
  std::string_view near = CutUtf8(text.substr(position), 30);
  return InvalidArgument(
      near.empty() ? fmt::format("{} (at character {}, the end)", message, character)
                   : fmt::format("{} (at character {}, near '{}')", message, character, near));
}

Error Filter::Fail(size_t position, std::string_view message) const {
  return FilterError(text, position, message);
}

std::string_view FilterEntityName(FilterEntity entity) {
  return kEntities[static_cast<size_t>(entity)].word;
}

Result<FilterEntity> FindFilterEntity(std::string_view text, const FilterKey& key,
                                      std::span<const FilterEntity> allowed) {
  auto is_allowed = [&](FilterEntity entity) {
    return std::find(allowed.begin(), allowed.end(), entity) != allowed.end();
  };
  if (key.entity.empty() && is_allowed(FilterEntity::kAttribute)) return FilterEntity::kAttribute;
  for (const EntityRow& row : kEntities) {
    if (row.word == key.entity && is_allowed(row.entity)) return row.entity;
  }
  std::string names;
  for (FilterEntity entity : allowed)
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", FilterEntityName(entity));
  return FilterError(text, key.position,
                     fmt::format("Invalid entity type '{}'. Valid values are [{}]",
                                 CutUtf8(key.entity, 100), names));
}

Status CheckFilterValues(const Filter& filter, const FilterCondition& condition,
                         FilterEntity entity, FilterValueType type) {
  const bool is_text = type == FilterValueType::kText;
  // Values first, as MLflow does: `metrics.a LIKE '1'` lacks a number before all else.
  for (const FilterValue& value : condition.values) {
    if (is_text && value.kind != FilterValue::Kind::kText) return WrongText(filter, entity, value);
    if (!is_text && !value.is_number()) return WrongNumber(filter, condition, entity, value);
  }
  const ComparatorRow& row = RowOf(condition.comparator);
  if (is_text ? row.suits_text : row.suits_numbers) return Ok();
  std::string valid;
  for (const ComparatorRow& other : kComparators) {
    if (is_text ? other.suits_text : other.suits_numbers)
      valid += fmt::format("{}'{}'", valid.empty() ? "" : ", ", other.text);
  }
  return filter.Fail(condition.position,
                     fmt::format("Invalid comparator '{}' not one of '{{{}}}'", row.text, valid));
}

LikePattern::LikePattern(std::string_view pattern, bool ignores_case)
    : ignores_case_(ignores_case) {
  for (char c : pattern) {
    // Several % in a row are one; that bounds the work of Matches.
    if (c == '%' && pattern_.ends_with('%')) continue;
    pattern_ += ignores_case ? FoldCase(c) : c;
  }
  if (!ignores_case) prefix_ = pattern_.substr(0, pattern_.find_first_of("%_"));
}

bool LikePattern::Matches(std::string_view text) const {
  // Greedy with one way back, to the last '%': an earlier one need never take more.
  std::string_view pattern = pattern_;
  size_t at = 0;
  size_t in_pattern = 0;
  size_t way_back = std::string_view::npos;
  size_t way_back_at = 0;
  while (at < text.size()) {
    char wanted = in_pattern < pattern.size() ? pattern[in_pattern] : '\0';
    bool has_wanted = in_pattern < pattern.size();
    if (has_wanted && wanted == '%') {
      way_back = ++in_pattern;
      way_back_at = at;
      if (in_pattern == pattern.size()) return true;
    } else if (has_wanted && wanted == '_') {
      ++in_pattern;
      at += StepSize(text.substr(at));
    } else if (has_wanted && wanted == (ignores_case_ ? FoldCase(text[at]) : text[at])) {
      ++in_pattern;
      ++at;
    } else if (way_back != std::string_view::npos) {
      in_pattern = way_back;
      way_back_at += StepSize(text.substr(way_back_at));
      at = way_back_at;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '%') ++in_pattern;
  return in_pattern == pattern.size();
}

bool MatchesText(const FilterCondition& condition, std::string_view value) {
  bool is_negative = IsNegative(condition.comparator);
  auto equals = [&](const FilterValue& wanted) { return wanted.text == value; };
  switch (PositiveOf(condition.comparator)) {
    case Comparator::kEqual:
    case Comparator::kIn:
      return std::any_of(condition.values.begin(), condition.values.end(), equals) != is_negative;
    case Comparator::kLike:
    case Comparator::kILike: {
      bool ignores_case = PositiveOf(condition.comparator) == Comparator::kILike;
      return LikePattern(condition.values.at(0).text, ignores_case).Matches(value) != is_negative;
    }
    case Comparator::kIsNull: return false;
    case Comparator::kIsNotNull: return true;
    default: CHECK_MSG(false, "a condition on text has not been checked"); return false;
  }
}

bool MatchesNumber(const FilterCondition& condition, double value) {
  const std::vector<FilterValue>& values = condition.values;
  bool is_negative = IsNegative(condition.comparator);
  switch (PositiveOf(condition.comparator)) {
    case Comparator::kEqual:
    case Comparator::kIn:
      return std::any_of(values.begin(), values.end(), [&](const FilterValue& wanted) {
               return wanted.number == value;
             }) != is_negative;
    case Comparator::kLess: return value < values.at(0).number;
    case Comparator::kLessOrEqual: return value <= values.at(0).number;
    case Comparator::kGreater: return value > values.at(0).number;
    case Comparator::kGreaterOrEqual: return value >= values.at(0).number;
    case Comparator::kBetween:
      return (value >= values.at(0).number && value <= values.at(1).number) != is_negative;
    case Comparator::kIsNull: return false;
    case Comparator::kIsNotNull: return true;
    default: CHECK_MSG(false, "a condition on a number has not been checked"); return false;
  }
}

}  // namespace sluice::formats
