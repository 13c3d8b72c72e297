// The search language, from text to a tree: MLflow's filters ("metrics.loss < 0.1 AND tags.team =
// 'a'") and a superset of them. What a name means and how it is looked up is up to who searches
// (runs, experiments, models, versions); what is common to all of them is here. Pure.
//
//   filter     := [ or ]                               (empty: everything)
//   or         := and { OR and }
//   and        := not { [ AND ] not }       (MLflow forgives a missing AND, and one too many)
//   not        := NOT not | '(' or ')' | condition
//   condition  := key comparator value
//              |  key [NOT] IN '(' value { ',' value } [ ',' ] ')'
//              |  key [NOT] BETWEEN value AND value
//              |  key IS [NOT] NULL
//   comparator := = | != | < | <= | > | >= | [NOT] LIKE | [NOT] ILIKE
//   key        := [ entity '.' ] name | entity '.' quoted '.' ( min | max | last | best )
//   name       := plain | quoted
//   plain      := letters, digits, '_', '.' and whatever is not ASCII
//   quoted     := `anything` | "anything" | 'anything'
//   value      := number | 'text' | "text"
//
// Keywords in any case. A string is what stands between its quotes: neither '' nor \' is undone
// (only a list undoes \\, \', \", \n, \r and \t, as MLflow does); a string ends at the first quote
// that is neither doubled nor behind a backslash or, if there is none, at the last that is.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::formats {

struct FilterLimits {
  static constexpr size_t kSizeBytes = 64 * 1024;
  static constexpr size_t kDepth = 32;         ///< of parentheses and NOTs
  static constexpr size_t kConditions = 500;   ///< in one filter
  static constexpr size_t kListValues = 5000;  ///< in one filter
};

/// A comparator with "not" in it speaks, like !=, of a value that is there: `params.a NOT IN ('1')`
/// is false without param a, where `NOT params.a IN ('1')` is true.
enum class Comparator : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kLike,
  kNotLike,
  kILike,
  kNotILike,
  kIn,
  kNotIn,
  kBetween,
  kNotBetween,
  kIsNull,
  kIsNotNull,
};
/// "=", "NOT IN", "IS NULL", ...
std::string_view ComparatorText(Comparator comparator);
/// != and those with NOT, but not IS NOT NULL: what holds where the value is there and the positive
/// one (PositiveOf) does not hold.
bool IsNegative(Comparator comparator);
/// kNotIn → kIn, kNotEqual → kEqual; others themselves.
Comparator PositiveOf(Comparator comparator);

enum class Aggregate : uint8_t { kNone, kMin, kMax, kLast, kBest };

struct FilterKey {
  std::string entity;  ///< as written, back-ticks taken off: "metrics"; empty for a bare name
  std::string name;    ///< quotes taken off
  /// Set when `.min`, `.max`, `.last` or `.best` stands behind a *quoted* name of a metric
  /// (metrics.`x`.min): such a text never had another meaning.
  Aggregate aggregate = Aggregate::kNone;
  /// The whole name was in quotes. A plain `metrics.x.min` has name "x.min" and is_quoted false:
  /// whoever searches runs asks first whether a metric of that very name exists, and only then
  /// takes it apart with SplitAggregate, so that filters that worked before keep their meaning.
  bool is_quoted = false;
  size_t position = 0;  ///< bytes from the start of the text
};

/// "x.min" → {"x", kMin}; nothing if the name has no such end or nothing before it.
struct AggregateName {
  std::string_view name;
  Aggregate aggregate = Aggregate::kNone;
};
AggregateName SplitAggregate(std::string_view name);

struct FilterValue {
  enum class Kind : uint8_t { kInteger, kDecimal, kText, kOther };
  Kind kind = Kind::kOther;
  /// Text without its quotes; a number or another token (inf, a bare word) as written.
  std::string text;
  double number = 0;    ///< of numbers; beyond a double's range: an infinity
  int64_t integer = 0;  ///< of kInteger, held to the ends of int64 when it is beyond
  size_t position = 0;

  bool is_number() const { return kind == Kind::kInteger || kind == Kind::kDecimal; }
};

struct FilterCondition {
  FilterKey key;
  Comparator comparator = Comparator::kEqual;
  /// None for IS [NOT] NULL, two for BETWEEN, one or more for IN, else one.
  std::vector<FilterValue> values;
  size_t position = 0;  ///< of the comparator
};

/// A tree: kAnd and kOr have two or more children, kNot one, kCondition none.
struct FilterNode {
  enum class Kind : uint8_t { kCondition, kAnd, kOr, kNot };
  Kind kind = Kind::kCondition;
  FilterCondition condition;  ///< of kCondition
  std::vector<FilterNode> children;
};

struct Filter {
  std::string text;
  /// Nothing if the filter is empty or blank: all match.
  std::shared_ptr<const FilterNode> root;

  /// kInvalidArgument: `message`, then the place: "... (at character 17, near 'x > 1')".
  Error Fail(size_t position, std::string_view message) const;
};

/// Errors: kInvalidArgument naming the place and what was expected there, or the limit.
Result<Filter> ParseFilter(std::string_view text);

/// What Filter::Fail does, for a clause of order_by.
Error FilterError(std::string_view text, size_t position, std::string_view message);

/// What a name may belong to, with MLflow's other spellings: metric(s); param(s), parameter(s);
/// tag(s); attribute(s), attr, run; dataset(s).
enum class FilterEntity : uint8_t { kAttribute, kMetric, kParam, kTag, kDataset };
/// "attribute", "metric", "parameter", "tag", "dataset".
std::string_view FilterEntityName(FilterEntity entity);
/// A bare name is an attribute. `text` is the filter or clause, for errors: kInvalidArgument for
/// other words and for entities that are not among `allowed`.
Result<FilterEntity> FindFilterEntity(std::string_view text, const FilterKey& key,
                                      std::span<const FilterEntity> allowed);

enum class FilterValueType : uint8_t { kText, kNumber };
/// Does the comparator suit the type, and are the values of it? Text: = != [NOT] LIKE, ILIKE, IN,
/// IS [NOT] NULL. Numbers: = != < <= > >= [NOT] BETWEEN, IN, IS [NOT] NULL. Errors:
/// kInvalidArgument in MLflow's words ("Expected numeric value type for metric. Found 'a'").
Status CheckFilterValues(const Filter& filter, const FilterCondition& condition,
                         FilterEntity entity, FilterValueType type);

/// SQL's LIKE: '%' any text, '_' any one character, nothing else is special. Ignoring case folds
/// A-Z only, as SQLite does. Time: O(text × pattern) at worst.
class LikePattern {
 public:
  LikePattern(std::string_view pattern, bool ignores_case);
  bool Matches(std::string_view text) const;
  /// What every match begins with (empty when case is ignored): a range of an index.
  const std::string& prefix() const { return prefix_; }

 private:
  std::string pattern_;
  std::string prefix_;
  bool ignores_case_;
};

/// Does a condition on text hold for a value that is there? CHECK: the condition has passed
/// CheckFilterValues as text. For searches that walk their things in memory.
bool MatchesText(const FilterCondition& condition, std::string_view value);
bool MatchesNumber(const FilterCondition& condition, double value);

/// One clause of order_by: "metrics.`a b` DESC", "start_time". Default: ascending.
struct OrderBy {
  std::string text;
  FilterKey key;
  bool is_ascending = true;
};
/// Errors: kInvalidArgument "Invalid order_by clause '...'" and why.
Result<OrderBy> ParseOrderBy(std::string_view text);

}  // namespace sluice::formats
