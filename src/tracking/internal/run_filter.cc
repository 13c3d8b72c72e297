#include "tracking/internal/run_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "sql/fold_case.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/run_rows.h"

namespace sluice::tracking::internal {
namespace {

using formats::Aggregate;
using formats::Comparator;
using formats::Filter;
using formats::FilterCondition;
using formats::FilterEntity;
using formats::FilterNode;
using formats::FilterValue;
using formats::FilterValueType;
using sql::Query;
using sql::Reader;
using sql::Row;

using Kind = RunField::Kind;
using Test = RunCondition::Test;

struct AttributeRow {
  std::string_view name;
  Kind kind;
  std::string_view column;
  bool may_order;
};
/// In the order MLflow's messages list them, as far as a set of Python has one.
constexpr AttributeRow kAttributes[] = {
    {"artifact_uri", Kind::kText, "artifact_uri", true},
    {"created", Kind::kTime, "start_ms", true},
    {"Created", Kind::kTime, "start_ms", true},
    {"end_time", Kind::kTime, "end_ms", true},
    {"run_id", Kind::kText, "run_id", true},
    {"run_name", Kind::kTag, "", true},
    {"run name", Kind::kTag, "", false},
    {"Run name", Kind::kTag, "", false},
    {"Run Name", Kind::kTag, "", false},
    {"start_time", Kind::kTime, "start_ms", true},
    {"status", Kind::kStatus, "status", true},
    {"user_id", Kind::kText, "user_id", true},
};
constexpr std::string_view kDatasetColumns[] = {"context", "digest", "name"};

/// Of metrics whose name tells that less is better, for `.best`.
constexpr std::string_view kLessIsBetter[] = {
    "loss",     "error",      "err",      "mse",     "rmse",     "mae",  "mape", "msle",
    "rmsle",    "nll",        "bce",      "wer",     "cer",      "fpr",  "fnr",  "perplexity",
    "deviance", "divergence", "distance", "latency", "duration", "time", "cost", "regret"};

constexpr Query kFindMetricKey{
    "tracking.find_metric_key",
    "SELECT 1 FROM metric_series WHERE experiment_id IN (SELECT value FROM json_each($1)) "
    "AND key = $2 LIMIT 1",
    "SELECT 1 FROM metric_series "
    "WHERE experiment_id = ANY(CAST(translate($1, '[]', '{}') AS BIGINT[])) AND key = $2 LIMIT 1"};
constexpr Query kFindPrimaryMetric{
    "tracking.find_primary_metric",
    "SELECT n.value, b.value FROM experiment_tags n JOIN experiment_tags b "
    "ON b.experiment_id = n.experiment_id AND b.key = 'mlflow.experiment.primaryMetric."
    "greaterIsBetter' WHERE n.key = 'mlflow.experiment.primaryMetric.name' "
    "AND n.experiment_id IN (SELECT value FROM json_each($1)) ORDER BY n.experiment_id",
    "SELECT n.value, b.value FROM experiment_tags n JOIN experiment_tags b "
    "ON b.experiment_id = n.experiment_id AND b.key = 'mlflow.experiment.primaryMetric."
    "greaterIsBetter' WHERE n.key = 'mlflow.experiment.primaryMetric.name' AND n.experiment_id = "
    "ANY(CAST(translate($1, '[]', '{}') AS BIGINT[])) ORDER BY n.experiment_id"};

/// "val_rmse" has the word "rmse".
bool HasWordOfLess(std::string_view name) {
  std::string word;
  for (size_t i = 0; i <= name.size(); ++i) {
    char c = i < name.size() ? name[i] : '_';
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_letter) {
      word += static_cast<char>(c | 0x20);
      continue;
    }
    if (std::find(std::begin(kLessIsBetter), std::end(kLessIsBetter), word) !=
        std::end(kLessIsBetter))
      return true;
    word.clear();
  }
  return false;
}

/// Names to fields, for filters and orders alike.
class Namer {
 public:
  Namer(Reader& reader, std::span<const int64_t> experiment_ids)
      : reader_(reader), experiments_(NumberList(experiment_ids)) {}

  Result<RunField> FindField(std::string_view text, const formats::FilterKey& key, bool is_order) {
    static constexpr FilterEntity kEntities[] = {FilterEntity::kMetric, FilterEntity::kParam,
                                                 FilterEntity::kTag, FilterEntity::kAttribute,
                                                 FilterEntity::kDataset};
    ASSIGN_OR_RETURN(FilterEntity entity, formats::FindFilterEntity(text, key, kEntities));
    if (key.aggregate != Aggregate::kNone && entity != FilterEntity::kMetric) {
      return formats::FilterError(text, key.position,
                                  "only metrics have .min, .max, .last and .best");
    }
    switch (entity) {
      case FilterEntity::kMetric: return FindMetric(key);
      case FilterEntity::kParam: return RunField{Kind::kParam, key.name, ""};
      case FilterEntity::kTag: return RunField{Kind::kTag, key.name, ""};
      case FilterEntity::kDataset: return FindDataset(text, key, is_order);
      case FilterEntity::kAttribute: break;
    }
    for (const AttributeRow& row : kAttributes) {
      if (row.name != key.name || (is_order && !row.may_order)) continue;
      // MLflow finds runs by this tag and orders them by their name, which are one thing.
      if (row.kind == Kind::kTag) return RunField{Kind::kTag, std::string(kRunNameTag), ""};
      return RunField{row.kind, "", std::string(row.column)};
    }
    std::string valid;
    for (const AttributeRow& row : kAttributes) {
      if (!is_order || row.may_order)
        valid += fmt::format("{}'{}'", valid.empty() ? "" : ", ", row.name);
    }
    return formats::FilterError(
        text, key.position,
        fmt::format("Invalid attribute key '{}' specified. Valid keys are '{{{}}}'",
                    CutCharacters(key.name, 100), valid));
  }

 private:
  Result<RunField> FindMetric(const formats::FilterKey& key) {
    if (key.aggregate != Aggregate::kNone) return AggregateField(key.name, key.aggregate);
    formats::AggregateName split = formats::SplitAggregate(key.name);
    if (!key.is_quoted && split.aggregate != Aggregate::kNone) {
      ASSIGN_OR_RETURN(auto is_metric, reader_.FindOne(kFindMetricKey, {experiments_, key.name},
                                                       [](const Row&) { return true; }));
      if (!is_metric) return AggregateField(split.name, split.aggregate);
    }
    return RunField{Kind::kMetric, key.name, "value"};
  }

  Result<RunField> AggregateField(std::string_view name, Aggregate aggregate) {
    RunField field{Kind::kMetric, std::string(name), "value"};
    if (aggregate == Aggregate::kBest) {
      ASSIGN_OR_RETURN(bool is_less_better, IsLessBetter(name));
      aggregate = is_less_better ? Aggregate::kMin : Aggregate::kMax;
    }
    if (aggregate == Aggregate::kMin) field.column = "min_value";
    if (aggregate == Aggregate::kMax) field.column = "max_value";
    return field;
  }

  Result<bool> IsLessBetter(std::string_view name) {
    std::optional<bool> known;
    RETURN_IF_ERROR(reader_.ForEach(kFindPrimaryMetric, {experiments_}, [&](const Row& row) {
      if (!known && row.GetTextView(0) == name)
        known = sql::FoldCase(row.GetTextView(1)) == "false";
      return Ok();
    }));
    return known.value_or(HasWordOfLess(name));
  }

  static Result<RunField> FindDataset(std::string_view text, const formats::FilterKey& key,
                                      bool is_order) {
    if (is_order) {
      return formats::FilterError(text, key.position,
                                  "Invalid identifier type 'dataset': runs are not ordered by "
                                  "their datasets, of which there may be several");
    }
    if (key.name == "context") return RunField{Kind::kDatasetContext, "", "value"};
    for (std::string_view column : kDatasetColumns) {
      if (column == key.name) return RunField{Kind::kDataset, "", key.name};
    }
    return formats::FilterError(text, key.position,
                                fmt::format("Invalid dataset key '{}' specified. Valid keys are "
                                            "'{{'context', 'digest', 'name'}}'",
                                            CutCharacters(key.name, 100)));
  }

  Reader& reader_;
  const std::string experiments_;
};

FilterEntity EntityOf(const RunField& field, const FilterCondition& condition) {
  switch (field.kind) {
    case Kind::kMetric: return FilterEntity::kMetric;
    case Kind::kParam: return FilterEntity::kParam;
    case Kind::kTag: {
      // The run's name, spelt as an attribute, is looked up as a tag.
      std::string_view entity = condition.key.entity;
      return entity == "tag" || entity == "tags" ? FilterEntity::kTag : FilterEntity::kAttribute;
    }
    case Kind::kDataset:
    case Kind::kDatasetContext: return FilterEntity::kDataset;
    default: return FilterEntity::kAttribute;
  }
}

/// The values of an integer column for which a comparison with a number holds, as a comparison with
/// integers: x > 1.5 is x >= 2. Nothing: never (or, of != and NOT IN, for all that are there).
struct IntegerTest {
  Comparator comparator;
  std::vector<int64_t> integers;
};
int64_t ToInteger(double value) {
  constexpr double kEdge = 9223372036854775808.0;  // 2^63
  if (value >= kEdge) return std::numeric_limits<int64_t>::max();
  if (value < -kEdge) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}
IntegerTest ToIntegers(Comparator comparator, const std::vector<FilterValue>& values) {
  IntegerTest test{comparator, {}};
  auto floor_of = [](const FilterValue& value) {
    return value.kind == FilterValue::Kind::kInteger ? value.integer
                                                     : ToInteger(std::floor(value.number));
  };
  auto ceiling_of = [](const FilterValue& value) {
    return value.kind == FilterValue::Kind::kInteger ? value.integer
                                                     : ToInteger(std::ceil(value.number));
  };
  switch (comparator) {
    case Comparator::kLess: test.integers = {ceiling_of(values[0])}; break;
    case Comparator::kLessOrEqual:
    case Comparator::kGreater: test.integers = {floor_of(values[0])}; break;
    case Comparator::kGreaterOrEqual: test.integers = {ceiling_of(values[0])}; break;
    case Comparator::kBetween:
    case Comparator::kNotBetween:
      test.integers = {ceiling_of(values[0]), floor_of(values[1])};
      break;
    default:
      for (const FilterValue& value : values) {
        if (floor_of(value) == ceiling_of(value)) test.integers.push_back(floor_of(value));
      }
      test.comparator = formats::IsNegative(comparator) ? Comparator::kNotIn : Comparator::kIn;
  }
  return test;
}

Result<RunCondition> CompileCondition(const Filter& filter, const FilterCondition& condition,
                                      RunField field) {
  const FilterEntity entity = EntityOf(field, condition);
  const bool is_null_test =
      condition.comparator == Comparator::kIsNull || condition.comparator == Comparator::kIsNotNull;
  if (is_null_test && entity != FilterEntity::kTag && entity != FilterEntity::kParam) {
    return filter.Fail(condition.position,
                       fmt::format("IS NULL / IS NOT NULL is only supported for tags and params, "
                                   "not for '{}' '{}'",
                                   formats::FilterEntityName(entity), condition.key.name));
  }
  RETURN_IF_ERROR(formats::CheckFilterValues(
      filter, condition, entity,
      field.is_number() ? FilterValueType::kNumber : FilterValueType::kText));

  RunCondition compiled{.field = std::move(field), .comparator = condition.comparator};
  if (is_null_test) {
    compiled.test = Test::kPresent;
    return compiled;
  }
  switch (compiled.field.kind) {
    case Kind::kMetric:
      for (const FilterValue& value : condition.values) compiled.numbers.push_back(value.number);
      break;
    case Kind::kTime: {
      IntegerTest test = ToIntegers(condition.comparator, condition.values);
      compiled.comparator = test.comparator;
      compiled.integers = std::move(test.integers);
      break;
    }
    case Kind::kStatus:
      // Five names at most: those that match are named.
      compiled.comparator = Comparator::kIn;
      for (int64_t code = 1; code <= 5; ++code) {
        if (formats::MatchesText(condition, RunStatusName(static_cast<RunStatus>(code))))
          compiled.integers.push_back(code);
      }
      break;
    default: {
      bool ignores_case = formats::PositiveOf(condition.comparator) == Comparator::kILike;
      for (const FilterValue& value : condition.values)
        compiled.texts.push_back(ignores_case ? sql::FoldCase(value.text) : value.text);
    }
  }
  return compiled;
}

Result<RunFilterNode> CompileNode(Namer& namer, const Filter& filter, const FilterNode& node) {
  RunFilterNode compiled{.kind = node.kind, .condition = {}, .children = {}};
  if (node.kind != FilterNode::Kind::kCondition) {
    for (const FilterNode& child : node.children) {
      ASSIGN_OR_RETURN(RunFilterNode compiled_child, CompileNode(namer, filter, child));
      compiled.children.push_back(std::move(compiled_child));
    }
    return compiled;
  }
  ASSIGN_OR_RETURN(RunField field, namer.FindField(filter.text, node.condition.key, false));
  ASSIGN_OR_RETURN(compiled.condition, CompileCondition(filter, node.condition, std::move(field)));
  if (node.condition.comparator == Comparator::kIsNull) {
    RunFilterNode negated{.kind = FilterNode::Kind::kNot, .condition = {}, .children = {}};
    negated.children.push_back(std::move(compiled));
    return negated;
  }
  return compiled;
}

}  // namespace

Result<std::vector<RunFilterNode>> CompileRunFilter(Reader& reader, std::string_view text,
                                                    std::span<const int64_t> experiment_ids) {
  ASSIGN_OR_RETURN(Filter filter, formats::ParseFilter(text));
  std::vector<RunFilterNode> nodes;
  if (!filter.root) return nodes;
  Namer namer(reader, experiment_ids);
  ASSIGN_OR_RETURN(RunFilterNode root, CompileNode(namer, filter, *filter.root));
  if (root.kind != FilterNode::Kind::kAnd) {
    nodes.push_back(std::move(root));
    return nodes;
  }
  return std::move(root.children);
}

Result<std::vector<RunOrder>> CompileRunOrders(Reader& reader, std::span<const std::string> clauses,
                                               std::span<const int64_t> experiment_ids) {
  Namer namer(reader, experiment_ids);
  std::vector<RunOrder> orders;
  auto has = [&](const RunField& field) {
    return std::any_of(orders.begin(), orders.end(),
                       [&](const RunOrder& order) { return order.field == field; });
  };
  for (const std::string& clause : clauses) {
    ASSIGN_OR_RETURN(formats::OrderBy order, formats::ParseOrderBy(clause));
    ASSIGN_OR_RETURN(RunField field, namer.FindField(order.text, order.key, true));
    if (has(field)) {
      std::string list;
      for (const std::string& other : clauses)
        list += fmt::format("{}'{}'", list.empty() ? "" : ", ", CutCharacters(other, 200));
      return InvalidArgument(fmt::format("`order_by` contains duplicate fields: [{}]", list));
    }
    orders.push_back({std::move(field), order.is_ascending});
  }
  const RunField start{Kind::kTime, "", "start_ms"};
  if (!has(start)) orders.push_back({start, false});
  const RunField run_id{Kind::kText, "", "run_id"};
  if (!has(run_id)) orders.push_back({run_id, true});
  return orders;
}

}  // namespace sluice::tracking::internal
