// Search::Experiments: all experiments are read, filtered and sorted here.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "formats/filter.h"
#include "sql/fold_case.h"
#include "tracking/internal/page_token.h"
#include "tracking/internal/rules.h"
#include "tracking/search.h"

namespace sluice::tracking {
namespace {

using formats::Comparator;
using formats::Filter;
using formats::FilterCondition;
using formats::FilterEntity;
using formats::FilterNode;
using formats::FilterValue;
using formats::FilterValueType;
using internal::OrderValue;
using sql::Query;
using sql::Reader;
using sql::Row;

constexpr Query kListAll{
    "tracking.search_experiments",
    "SELECT experiment_id, name, artifact_location, stage, created_ms, updated_ms "
    "FROM experiments WHERE stage < 2"};
constexpr Query kListTags{"tracking.search_experiment_tags",
                          "SELECT experiment_id, key, value FROM experiment_tags "
                          "ORDER BY experiment_id, key"};

enum class Field : uint8_t { kName, kId, kCreated, kUpdated, kTag };
struct FieldRow {
  std::string_view name;
  Field field;
};
constexpr FieldRow kFields[] = {{"creation_time", Field::kCreated},
                                {"experiment_id", Field::kId},
                                {"last_update_time", Field::kUpdated},
                                {"name", Field::kName}};
constexpr FilterEntity kEntities[] = {FilterEntity::kAttribute, FilterEntity::kTag};

Result<Field> FindField(std::string_view text, const formats::FilterKey& key) {
  ASSIGN_OR_RETURN(FilterEntity entity, formats::FindFilterEntity(text, key, kEntities));
  if (entity == FilterEntity::kTag) return Field::kTag;
  std::string valid;
  for (const FieldRow& row : kFields) {
    if (row.name == key.name) return row.field;
    valid += fmt::format("{}'{}'", valid.empty() ? "" : ", ", row.name);
  }
  return formats::FilterError(
      text, key.position,
      fmt::format("Invalid attribute key '{}' specified. Valid keys are '{{{}}}'",
                  internal::CutCharacters(key.name, 100), valid));
}

/// Ids are numbers that are written as texts.
Status CheckIds(const Filter& filter, FilterCondition& condition) {
  Comparator positive = formats::PositiveOf(condition.comparator);
  if (positive != Comparator::kEqual && positive != Comparator::kIn) {
    return filter.Fail(condition.position,
                       fmt::format("Invalid comparator for experiment_id: {}",
                                   formats::ComparatorText(condition.comparator)));
  }
  for (FilterValue& value : condition.values) {
    ASSIGN_OR_RETURN(int64_t id, internal::ParseExperimentId(value.text));
    value.text = std::to_string(id);
  }
  return Ok();
}

/// A condition with its field found, its values checked and, where case is ignored, folded.
struct Compiled {
  FilterNode::Kind kind = FilterNode::Kind::kCondition;
  Field field = Field::kName;
  FilterCondition condition;
  bool folds_case = false;
  std::vector<Compiled> children;
};

Result<Compiled> Compile(const Filter& filter, const FilterNode& node) {
  Compiled compiled{.kind = node.kind, .condition = node.condition};
  for (const FilterNode& child : node.children) {
    ASSIGN_OR_RETURN(Compiled compiled_child, Compile(filter, child));
    compiled.children.push_back(std::move(compiled_child));
  }
  if (node.kind != FilterNode::Kind::kCondition) return compiled;

  FilterCondition& condition = compiled.condition;
  ASSIGN_OR_RETURN(compiled.field, FindField(filter.text, condition.key));
  if (condition.key.aggregate != formats::Aggregate::kNone) {
    return filter.Fail(condition.key.position, "only metrics have .min, .max, .last and .best");
  }
  bool is_null_test =
      condition.comparator == Comparator::kIsNull || condition.comparator == Comparator::kIsNotNull;
  if (is_null_test && compiled.field != Field::kTag) {
    return filter.Fail(condition.position,
                       fmt::format("IS NULL / IS NOT NULL is only supported for tags, not for "
                                   "attribute '{}'",
                                   condition.key.name));
  }
  bool is_time = compiled.field == Field::kCreated || compiled.field == Field::kUpdated;
  RETURN_IF_ERROR(formats::CheckFilterValues(
      filter, condition,
      compiled.field == Field::kTag ? FilterEntity::kTag : FilterEntity::kAttribute,
      is_time ? FilterValueType::kNumber : FilterValueType::kText));
  for (const FilterValue& value : condition.values) {
    if (is_time && value.kind != FilterValue::Kind::kInteger) {
      return filter.Fail(value.position,
                         fmt::format("Invalid value for numeric attribute '{}': '{}'",
                                     condition.key.name, value.text));
    }
  }
  if (compiled.field == Field::kId) RETURN_IF_ERROR(CheckIds(filter, condition));
  if (formats::PositiveOf(condition.comparator) == Comparator::kILike) {
    compiled.folds_case = true;
    condition.comparator =
        condition.comparator == Comparator::kILike ? Comparator::kLike : Comparator::kNotLike;
    for (FilterValue& value : condition.values) value.text = sql::FoldCase(value.text);
  }
  return compiled;
}

bool Matches(const Compiled& node, const Experiment& experiment) {
  auto matches = [&](const Compiled& child) { return Matches(child, experiment); };
  switch (node.kind) {
    case FilterNode::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), matches);
    case FilterNode::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), matches);
    case FilterNode::Kind::kNot: return !matches(node.children.at(0));
    case FilterNode::Kind::kCondition: break;
  }
  auto matches_text = [&](std::string_view text) {
    return node.folds_case ? formats::MatchesText(node.condition, sql::FoldCase(text))
                           : formats::MatchesText(node.condition, text);
  };
  switch (node.field) {
    case Field::kName: return matches_text(experiment.name);
    case Field::kId: return matches_text(experiment.id);
    case Field::kCreated:
      return formats::MatchesNumber(node.condition, static_cast<double>(experiment.created_ms));
    case Field::kUpdated:
      return formats::MatchesNumber(node.condition, static_cast<double>(experiment.updated_ms));
    case Field::kTag: break;
  }
  for (const Tag& tag : experiment.tags) {
    if (tag.key == node.condition.key.name) return matches_text(tag.value);
  }
  return node.condition.comparator == Comparator::kIsNull;
}

struct Order {
  Field field = Field::kName;
  bool is_ascending = true;
};

Result<std::vector<Order>> CompileOrders(std::span<const std::string> clauses) {
  std::vector<Order> orders;
  auto has = [&](Field field) {
    return std::any_of(orders.begin(), orders.end(),
                       [&](const Order& order) { return order.field == field; });
  };
  for (const std::string& clause : clauses) {
    ASSIGN_OR_RETURN(formats::OrderBy order, formats::ParseOrderBy(clause));
    ASSIGN_OR_RETURN(Field field, FindField(order.text, order.key));
    if (field == Field::kTag) return InvalidArgument("Invalid order_by entity: tag");
    if (!has(field)) orders.push_back({field, order.is_ascending});
  }
  if (orders.empty()) orders = {{Field::kCreated, false}, {Field::kId, true}};
  if (!has(Field::kId)) orders.push_back({Field::kId, false});
  return orders;
}

std::vector<OrderValue> ValuesOf(const Experiment& experiment, std::span<const Order> orders) {
  std::vector<OrderValue> values;
  for (const Order& order : orders) {
    OrderValue& value = values.emplace_back();
    value.rank = OrderValue::kValue;
    switch (order.field) {
      case Field::kName: value.text = experiment.name; break;
      case Field::kId: value.integer = std::stoll(experiment.id); break;
      case Field::kCreated: value.integer = experiment.created_ms; break;
      case Field::kUpdated: value.integer = experiment.updated_ms; break;
      case Field::kTag: break;
    }
  }
  return values;
}

int CompareAll(const std::vector<OrderValue>& a, const std::vector<OrderValue>& b,
               std::span<const Order> orders) {
  for (size_t i = 0; i < orders.size(); ++i) {
    int order = internal::Compare(a[i], b[i], orders[i].is_ascending);
    if (order != 0) return order;
  }
  return 0;
}

bool IsShown(ViewType view, LifecycleStage stage) {
  return view == ViewType::kAll ||
         (view == ViewType::kActiveOnly) == (stage == LifecycleStage::kActive);
}

Result<std::vector<Experiment>> ReadAll(Reader& reader) {
  ASSIGN_OR_RETURN(
      std::vector<Experiment> experiments, reader.FindAll(kListAll, {}, [](const Row& row) {
        return Experiment{
            .id = std::to_string(row.GetInt64(0)),
            .name = row.GetText(1),
            .artifact_location = row.GetText(2),
            .stage = row.GetInt64(3) == 0 ? LifecycleStage::kActive : LifecycleStage::kDeleted,
            .created_ms = row.GetInt64(4),
            .updated_ms = row.GetInt64(5),
            .tags = {}};
      }));
  std::map<std::string, Experiment*> by_id;
  for (Experiment& experiment : experiments) by_id.emplace(experiment.id, &experiment);
  RETURN_IF_ERROR(reader.ForEach(kListTags, {}, [&](const Row& row) {
    auto experiment = by_id.find(std::to_string(row.GetInt64(0)));
    if (experiment != by_id.end())
      experiment->second->tags.push_back({row.GetText(1), row.GetText(2)});
    return Ok();
  }));
  return experiments;
}

}  // namespace

Result<ExperimentPage> Search::Experiments(const ExperimentSearch& request) const {
  RETURN_IF_ERROR(internal::CheckPageSize(request.max_count));
  ASSIGN_OR_RETURN(Filter filter, formats::ParseFilter(request.filter));
  std::optional<Compiled> condition;
  if (filter.root) {
    ASSIGN_OR_RETURN(condition, Compile(filter, *filter.root));
  }
  ASSIGN_OR_RETURN(std::vector<Order> orders, CompileOrders(request.order_by));
  std::string description =
      fmt::format("{};{}{}", static_cast<int>(request.view), request.filter.size(), request.filter);
  for (const std::string& clause : request.order_by)
    description += fmt::format(";{}:{}", clause.size(), clause);
  std::optional<std::vector<OrderValue>> after;
  if (!request.page_token.empty()) {
    ASSIGN_OR_RETURN(after,
                     internal::ParsePageToken(description, request.page_token, orders.size()));
  }

  ASSIGN_OR_RETURN(std::vector<Experiment> all,
                   db_.Read([](Reader& reader) { return ReadAll(reader); }));
  struct Entry {
    std::vector<OrderValue> values;
    Experiment* experiment;
  };
  std::vector<Entry> entries;
  for (Experiment& experiment : all) {
    if (!IsShown(request.view, experiment.stage)) continue;
    if (condition && !Matches(*condition, experiment)) continue;
    std::vector<OrderValue> values = ValuesOf(experiment, orders);
    if (after && CompareAll(values, *after, orders) <= 0) continue;
    entries.push_back({std::move(values), &experiment});
  }
  const size_t count = std::min(entries.size(), static_cast<size_t>(request.max_count));
  std::partial_sort(
      entries.begin(), entries.begin() + static_cast<ptrdiff_t>(count), entries.end(),
      [&](const Entry& a, const Entry& b) { return CompareAll(a.values, b.values, orders) < 0; });
  ExperimentPage page;
  if (entries.size() > count)
    page.next_token = internal::PrintPageToken(description, entries[count - 1].values);
  for (size_t i = 0; i < count; ++i) page.experiments.push_back(std::move(*entries[i].experiment));
  return page;
}

}  // namespace sluice::tracking
