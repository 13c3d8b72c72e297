// Conditions as SQL.
#include <fmt/format.h>

#include <algorithm>

#include "tracking/internal/rules.h"
#include "tracking/internal/run_filter.h"

namespace sluice::tracking::internal {
namespace {

using formats::Comparator;
using Kind = RunField::Kind;
using Test = RunCondition::Test;

std::string_view SqlOperator(Comparator comparator) {
  switch (comparator) {
    case Comparator::kNotEqual: return "<>";
    default: return formats::ComparatorText(comparator);
  }
}

/// "column = $1", "column IN ($1, $2)", "column BETWEEN $1 AND $2": where the operands are the
/// values themselves.
template <typename T>
std::string Comparison(SqlText& sql, std::string_view column, Comparator comparator,
                       const std::vector<T>& values) {
  switch (formats::PositiveOf(comparator)) {
    case Comparator::kIn: {
      if (values.empty()) {
        return formats::IsNegative(comparator) ? fmt::format("{} IS NOT NULL", column) : "1 = 0";
      }
      std::string list;
      for (const T& value : values) list += (list.empty() ? "" : ", ") + sql.Bind(value);
      return fmt::format("{} {} ({})", column, SqlOperator(comparator), list);
    }
    case Comparator::kBetween: {
      std::string low = sql.Bind(values.at(0));
      return fmt::format("{} {} {} AND {}", column, SqlOperator(comparator), low,
                         sql.Bind(values.at(1)));
    }
    default:
      return fmt::format("{} {} {}", column, SqlOperator(comparator), sql.Bind(values.at(0)));
  }
}

std::string MetricTest(const RunCondition& condition, SqlText& sql) {
  std::string key = "key = " + sql.Bind(condition.field.key);
  const std::string& column = condition.field.column;
  switch (condition.test) {
    case Test::kPresent: return key;
    case Test::kIsNan:
      return key + (column == "value" ? " AND is_nan = 1" : " AND " + column + " IS NULL");
    case Test::kNumber:
      return key + (column == "value" ? " AND is_nan = 0" : " AND " + column + " IS NOT NULL");
    case Test::kCompare: break;
  }
  std::string test = Comparison(sql, column, condition.comparator, condition.numbers);
  // NaN, stored as 0, is unequal to everything and nothing else. An extreme is null where all the
  // values were NaN.
  bool is_negative = formats::IsNegative(condition.comparator);
  if (column != "value")
    return is_negative ? fmt::format("{} AND ({} OR {} IS NULL)", key, test, column)
                       : fmt::format("{} AND {}", key, test);
  return is_negative ? fmt::format("{} AND (is_nan = 1 OR {})", key, test)
                     : fmt::format("{} AND is_nan = 0 AND {}", key, test);
}

bool IsLike(Comparator comparator) {
  Comparator positive = formats::PositiveOf(comparator);
  return positive == Comparator::kLike || positive == Comparator::kILike;
}

std::string LikeTest(SqlText& sql, std::string_view column, Comparator comparator,
                     const std::string& pattern) {
  bool ignores_case = formats::PositiveOf(comparator) == Comparator::kILike;
  return fmt::format(
      "{} {}LIKE {}{}", ignores_case ? fmt::format("fold_case({})", column) : std::string(column),
      formats::IsNegative(comparator) ? "NOT " : "", sql.Bind(pattern), sql::kLikeEscape);
}

std::string TextTest(const RunCondition& condition, SqlText& sql, std::string_view column) {
  if (IsLike(condition.comparator))
    return LikeTest(sql, column, condition.comparator, condition.texts.at(0));
  return Comparison(sql, column, condition.comparator, condition.texts);
}

/// The least text greater than all that begin with `prefix`; "" if there is none.
std::string TextAfter(std::string_view prefix) {
  while (!prefix.empty()) {
    // The last character, one more; the greatest has no successor, the one before it does.
    size_t begin = prefix.size() - 1;
    while (begin > 0 && (prefix[begin] & 0xc0) == 0x80) --begin;
    uint32_t code = 0;
    auto lead = static_cast<unsigned char>(prefix[begin]);
    size_t size = prefix.size() - begin;
    code = size == 1 ? lead : lead & (0x7fU >> size);
    for (size_t i = begin + 1; i < prefix.size(); ++i)
      code = code << 6 | (static_cast<unsigned char>(prefix[i]) & 0x3f);
    prefix = prefix.substr(0, begin);
    if (++code == 0xd800) code = 0xe000;
    if (code > 0x10ffff) continue;
    std::string after(prefix);
    if (code < 0x80) {
      after += static_cast<char>(code);
    } else if (code < 0x800) {
      after += static_cast<char>(0xc0 | code >> 6);
      after += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      after += static_cast<char>(0xe0 | code >> 12);
      after += static_cast<char>(0x80 | (code >> 6 & 0x3f));
      after += static_cast<char>(0x80 | (code & 0x3f));
    } else {
      after += static_cast<char>(0xf0 | code >> 18);
      after += static_cast<char>(0x80 | (code >> 12 & 0x3f));
      after += static_cast<char>(0x80 | (code >> 6 & 0x3f));
      after += static_cast<char>(0x80 | (code & 0x3f));
    }
    return after;
  }
  return "";
}

bool IsShort(std::string_view text) {
  return text.size() < kHeadLength || CountCharacters(text) < kHeadLength;
}

/// Does the field have a head in an index, beside the whole text?
std::string_view HeadColumn(const RunField& field) {
  if (field.kind == Kind::kParam || field.kind == Kind::kTag) return "value_head";
  return field.column == "user_id" ? "user_head" : "";
}
std::string_view TextColumn(const RunField& field) {
  if (field.kind == Kind::kParam || field.kind == Kind::kTag) return "value";
  return field.column;
}

/// Is a text as long as a head compared, so that a head does not tell?
bool HasLongText(const RunCondition& condition) {
  return std::any_of(condition.texts.begin(), condition.texts.end(),
                     [](const std::string& text) { return !IsShort(text); });
}

std::string KeyTest(const RunCondition& condition, SqlText& sql) {
  bool has_key = condition.field.kind == Kind::kParam || condition.field.kind == Kind::kTag;
  return has_key ? "key = " + sql.Bind(condition.field.key) + " AND " : "";
}

}  // namespace

std::string_view RunCondition::tables() const {
  switch (field.kind) {
    case Kind::kMetric: return "metric_series";
    case Kind::kParam: return "params";
    case Kind::kTag: return "tags";
    case Kind::kDataset:
      return "datasets d JOIN dataset_links l ON l.dataset_id = d.dataset_id AND l.direction = 0 "
             "JOIN runs r ON r.run_id = l.run_id";
    case Kind::kDatasetContext:
      return "datasets d JOIN dataset_links l ON l.dataset_id = d.dataset_id AND l.direction = 0 "
             "JOIN dataset_link_tags t ON t.run_id = l.run_id AND t.direction = l.direction "
             "AND t.dataset_id = l.dataset_id AND t.key = 'mlflow.data.context' "
             "JOIN runs r ON r.run_id = l.run_id";
    default: return "runs";
  }
}

std::string_view RunCondition::run_no() const {
  bool is_dataset = field.kind == Kind::kDataset || field.kind == Kind::kDatasetContext;
  return is_dataset ? "r.run_no" : "run_no";
}

std::string_view RunCondition::experiment_id() const {
  bool is_dataset = field.kind == Kind::kDataset || field.kind == Kind::kDatasetContext;
  return is_dataset ? "d.experiment_id" : "experiment_id";
}

std::string RunCondition::Exact(SqlText& sql) const {
  switch (field.kind) {
    case Kind::kMetric: return MetricTest(*this, sql);
    case Kind::kStatus:
    case Kind::kTime:
      return test == Test::kPresent ? field.column + " IS NOT NULL"
                                    : Comparison(sql, field.column, comparator, integers);
    case Kind::kDataset: return TextTest(*this, sql, "d." + field.column);
    case Kind::kDatasetContext: return TextTest(*this, sql, "t.value");
    default: break;
  }
  std::string key = KeyTest(*this, sql);
  if (test == Test::kPresent) return key + "1 = 1";
  return key + TextTest(*this, sql, TextColumn(field));
}

std::string RunCondition::Loose(SqlText& sql) const {
  std::string head(HeadColumn(field));
  if (head.empty() || test != Test::kCompare) return Exact(sql);
  std::string key = KeyTest(*this, sql);
  if (IsLike(comparator)) {
    std::string text = key + fmt::format("(length({}) = {} OR {})", head, kHeadLength,
                                         LikeTest(sql, head, comparator, texts.at(0)));
    if (comparator == Comparator::kLike) {
      std::string prefix(
          CutCharacters(formats::LikePattern(texts.at(0), false).prefix(), kHeadLength));
      std::string after = TextAfter(prefix);
      // Bound texts are borrowed: these are kept with the statement.
      if (!prefix.empty())
        text += fmt::format(" AND {} >= {}", head, sql.BindCopy(std::move(prefix)));
      if (!after.empty()) text += fmt::format(" AND {} < {}", head, sql.BindCopy(std::move(after)));
    }
    return text;
  }
  if (!HasLongText(*this)) return key + Comparison(sql, head, comparator, texts);
  if (formats::IsNegative(comparator)) {
    // Whatever is short is unequal to what is long; compare it with the short ones.
    std::vector<std::string> short_texts;
    for (const std::string& text : texts) {
      if (IsShort(text)) short_texts.push_back(text);
    }
    if (short_texts.empty()) return key + "1 = 1";
    std::string list;
    for (std::string& text : short_texts)
      list += (list.empty() ? "" : ", ") + sql.BindCopy(std::move(text));
    return fmt::format("{}{} NOT IN ({})", key, head, list);
  }
  std::string list;
  for (const std::string& text : texts) {
    list +=
        (list.empty() ? "" : ", ") + sql.BindCopy(std::string(CutCharacters(text, kHeadLength)));
  }
  return fmt::format("{}{} IN ({})", key, head, list);
}

std::string RunCondition::Doubt() const {
  std::string head(HeadColumn(field));
  if (head.empty() || test != Test::kCompare) return "";
  if (!IsLike(comparator) && !HasLongText(*this)) return "";
  return fmt::format("length({}) = {}", head, kHeadLength);
}

}  // namespace sluice::tracking::internal
