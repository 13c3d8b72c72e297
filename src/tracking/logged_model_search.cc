// LoggedModelStore::Search: from the request to one statement. A page token holds the sort keys of
// the last row of its page, so that the next page begins behind that row, whatever came or went.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>

#include "base/base64.h"
#include "base/sha256.h"
#include "formats/filter.h"
#include "formats/json.h"
#include "tracking/internal/logged_model_rows.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/values.h"
#include "tracking/logged_models.h"
#include "tracking/store.h"

namespace sluice::tracking {
namespace {

using formats::Comparator;
using formats::FilterCondition;
using formats::FilterEntity;
using formats::FilterNode;
using formats::FilterValueType;
using formats::Json;
using internal::Values;
using sql::Query;
using sql::Reader;
using sql::Row;

struct Attribute {
  std::string_view name;
  std::string_view expression;  ///< NULL where the model has none
  FilterValueType type;
};
constexpr std::string_view kCreated = "CAST(m.created_ms AS DOUBLE PRECISION)";
constexpr std::string_view kUpdated = "CAST(m.updated_ms AS DOUBLE PRECISION)";
constexpr std::string_view kStatus =
    "CASE m.status WHEN 1 THEN 'PENDING' WHEN 2 THEN 'READY' ELSE 'UPLOAD_FAILED' END";
constexpr Attribute kAttributes[] = {
    {"name", "m.name", FilterValueType::kText},
    {"model_id", "m.model_id", FilterValueType::kText},
    {"model_type", "NULLIF(m.model_type, '')", FilterValueType::kText},
    {"status", kStatus, FilterValueType::kText},
    {"source_run_id", "NULLIF(m.source_run_id, '')", FilterValueType::kText},
    {"experiment_id", "CAST(m.experiment_id AS TEXT)", FilterValueType::kText},
    {"artifact_location", "m.artifact_uri", FilterValueType::kText},
    {"creation_timestamp", kCreated, FilterValueType::kNumber},
    {"creation_timestamp_ms", kCreated, FilterValueType::kNumber},
    {"creation_time", kCreated, FilterValueType::kNumber},
    {"last_updated_timestamp", kUpdated, FilterValueType::kNumber},
    {"last_updated_timestamp_ms", kUpdated, FilterValueType::kNumber},
    {"last_updated_time", kUpdated, FilterValueType::kNumber},
};

const Attribute* FindAttribute(std::string_view name) {
  const Attribute* found = std::find_if(std::begin(kAttributes), std::end(kAttributes),
                                        [&](const Attribute& one) { return one.name == name; });
  return found == std::end(kAttributes) ? nullptr : found;
}

/// A model's points of one metric.
constexpr std::string_view kPoints = "logged_model_metrics x WHERE x.model_id = m.model_id";

std::string OnDataset(const DatasetFilter& dataset, Values& values) {
  std::string text = "x.dataset_name = " + values.Bind(dataset.dataset_name);
  if (!dataset.dataset_digest.empty())
    text += " AND x.dataset_digest = " + values.Bind(dataset.dataset_digest);
  return text;
}

/// " AND (...)", or nothing if all datasets count.
std::string OnDatasets(std::span<const DatasetFilter> datasets, Values& values) {
  std::string text;
  for (const DatasetFilter& dataset : datasets)
    text += (text.empty() ? "(" : " OR (") + OnDataset(dataset, values) + ")";
  return text.empty() ? text : " AND (" + text + ")";
}

/// A filter's tree as a condition on logged_models m.
class FilterCompiler {
 public:
  FilterCompiler(const formats::Filter& filter, std::span<const DatasetFilter> datasets,
                 Values& values)
      : filter_(filter), datasets_(datasets), values_(values) {}

  Result<std::string> Compile(const FilterNode& node) {
    if (node.kind == FilterNode::Kind::kCondition) return CompileCondition(node.condition);
    std::string text;
    for (const FilterNode& child : node.children) {
      ASSIGN_OR_RETURN(std::string part, Compile(child));
      if (!text.empty()) text += node.kind == FilterNode::Kind::kOr ? " OR " : " AND ";
      text += part;
    }
    // A comparison with what is not there is NULL, and NOT of that must hold.
    if (node.kind == FilterNode::Kind::kNot) return "NOT COALESCE(" + text + ", FALSE)";
    return "(" + text + ")";
  }
  bool has_metrics() const { return has_metrics_; }

 private:
  Result<std::string> CompileCondition(const FilterCondition& condition) {
    constexpr FilterEntity kAllowed[] = {FilterEntity::kAttribute, FilterEntity::kMetric,
                                         FilterEntity::kParam, FilterEntity::kTag};
    ASSIGN_OR_RETURN(FilterEntity entity,
                     formats::FindFilterEntity(filter_.text, condition.key, kAllowed));
    switch (entity) {
      case FilterEntity::kMetric: return CompileMetric(condition);
      case FilterEntity::kParam: return CompileKeyed(condition, entity, "logged_model_params");
      case FilterEntity::kTag: return CompileKeyed(condition, entity, "logged_model_tags");
      default: return CompileAttribute(condition);
    }
  }

  Result<std::string> CompileAttribute(const FilterCondition& condition) {
    const Attribute* attribute = FindAttribute(condition.key.name);
    if (attribute == nullptr) {
      std::string names;
      for (const Attribute& one : kAttributes)
        names += fmt::format("{}'{}'", names.empty() ? "" : ", ", one.name);
      return filter_.Fail(condition.key.position,
                          fmt::format("Invalid attribute key '{}' specified. Valid keys are [{}]",
                                      condition.key.name, names));
    }
    RETURN_IF_ERROR(
        formats::CheckFilterValues(filter_, condition, FilterEntity::kAttribute, attribute->type));
    if (attribute->expression == kStatus) {
      FilterCondition& plain = plain_statuses_.emplace_back(condition);
      constexpr std::string_view kPrefix = "LOGGED_MODEL_";
      for (formats::FilterValue& value : plain.values)
        if (value.text.starts_with(kPrefix)) value.text.erase(0, kPrefix.size());
      return Compare(kStatus, plain, attribute->type);
    }
    return Compare(attribute->expression, condition, attribute->type);
  }

  Result<std::string> CompileKeyed(const FilterCondition& condition, FilterEntity entity,
                                   std::string_view table) {
    RETURN_IF_ERROR(formats::CheckFilterValues(filter_, condition, entity, FilterValueType::kText));
    std::string rows =
        fmt::format("SELECT 1 FROM {} v WHERE v.model_id = m.model_id AND v.key = {}", table,
                    values_.Bind(condition.key.name));
    return Exists(rows, "v.value", condition, FilterValueType::kText);
  }

  Result<std::string> CompileMetric(const FilterCondition& condition) {
    has_metrics_ = true;
    RETURN_IF_ERROR(formats::CheckFilterValues(filter_, condition, FilterEntity::kMetric,
                                               FilterValueType::kNumber));
    const formats::FilterKey& key = condition.key;
    if (key.aggregate != formats::Aggregate::kNone)
      return CompileAggregate(condition, key.name, key.aggregate);
    std::string rows = fmt::format("SELECT 1 FROM {} AND x.key = {} AND x.is_nan = 0{}", kPoints,
                                   values_.Bind(key.name), OnDatasets(datasets_, values_));
    ASSIGN_OR_RETURN(std::string plain,
                     Exists(rows, "x.value", condition, FilterValueType::kNumber));
    formats::AggregateName split = formats::SplitAggregate(key.name);
    if (key.is_quoted || split.aggregate == formats::Aggregate::kNone) return plain;
    // "x.min" is a metric of that name where there is one, else the least x.
    ASSIGN_OR_RETURN(std::string aggregate,
                     CompileAggregate(condition, split.name, split.aggregate));
    return fmt::format("CASE WHEN EXISTS (SELECT 1 FROM {} AND x.key = {}) THEN {} ELSE {} END",
                       kPoints, values_.Bind(key.name), plain, aggregate);
  }

  Result<std::string> CompileAggregate(const FilterCondition& condition, std::string_view name,
                                       formats::Aggregate aggregate) {
    std::string value;
    std::string order;
    switch (aggregate) {
      case formats::Aggregate::kMin: value = "MIN(x.value)"; break;
      case formats::Aggregate::kMax: value = "MAX(x.value)"; break;
      case formats::Aggregate::kLast:
        value = "x.value";
        order = " ORDER BY x.timestamp_ms DESC, x.step DESC, x.value DESC LIMIT 1";
        break;
      default:
        return filter_.Fail(condition.key.position,
                            "Logged models have .min, .max and .last of a metric, not .best");
    }
    std::string expression =
        fmt::format("(SELECT {} FROM {} AND x.key = {} AND x.is_nan = 0{}{})", value, kPoints,
                    values_.Bind(name), OnDatasets(datasets_, values_), order);
    return Compare(expression, condition, FilterValueType::kNumber);
  }

  /// Is there a row (a metric may have many) whose `expression` is as the condition says?
  Result<std::string> Exists(const std::string& rows, std::string_view expression,
                             const FilterCondition& condition, FilterValueType type) {
    if (condition.comparator == Comparator::kIsNull) return "NOT EXISTS (" + rows + ")";
    if (condition.comparator == Comparator::kIsNotNull) return "EXISTS (" + rows + ")";
    ASSIGN_OR_RETURN(std::string comparison, Compare(expression, condition, type));
    return fmt::format("EXISTS ({} AND {})", rows, comparison);
  }

  Result<std::string> Compare(std::string_view expression, const FilterCondition& condition,
                              FilterValueType type) {
    std::vector<std::string> values;
    for (const formats::FilterValue& value : condition.values) {
      values.push_back(type == FilterValueType::kNumber ? values_.Bind(value.number)
                                                        : values_.Bind(value.text));
    }
    std::string_view no = formats::IsNegative(condition.comparator) ? "NOT " : "";
    switch (condition.comparator) {
      case Comparator::kIsNull: return fmt::format("{} IS NULL", expression);
      case Comparator::kIsNotNull: return fmt::format("{} IS NOT NULL", expression);
      case Comparator::kLike:
      case Comparator::kNotLike:
        return fmt::format("{} {}LIKE {}{}", expression, no, values.at(0), sql::kLikeEscape);
      case Comparator::kILike:
      case Comparator::kNotILike:
        return fmt::format("fold_case({}) {}LIKE fold_case({}){}", expression, no, values.at(0),
                           sql::kLikeEscape);
      case Comparator::kIn:
      case Comparator::kNotIn:
        return fmt::format("{} {}IN ({})", expression, no, fmt::join(values, ", "));
      case Comparator::kBetween:
      case Comparator::kNotBetween:
        return fmt::format("{} {}BETWEEN {} AND {}", expression, no, values.at(0), values.at(1));
      default:
        return fmt::format("{} {} {}", expression, formats::ComparatorText(condition.comparator),
                           values.at(0));
    }
  }

  const formats::Filter& filter_;
  const std::span<const DatasetFilter> datasets_;
  Values& values_;
  bool has_metrics_ = false;
  std::deque<FilterCondition> plain_statuses_;  ///< bound texts borrow from here
};

struct SortKey {
  std::string expression;  ///< NULL comes last, whatever the direction
  FilterValueType type;
  bool is_ascending;
};

Result<SortKey> MakeSortKey(const LoggedModelOrder& order, Values& values) {
  if (const Attribute* attribute = FindAttribute(order.field_name))
    return SortKey{std::string(attribute->expression), attribute->type, order.is_ascending};
  constexpr std::string_view kMetrics = "metrics.";
  if (!order.field_name.starts_with(kMetrics)) {
    bool has_entity = order.field_name.find('.') != std::string::npos;
    return InvalidArgument(fmt::format("Invalid order by field name: {}{}", order.field_name,
                                       has_entity ? ". Only metrics are supported." : ""));
  }
  if (!order.dataset.dataset_digest.empty() && order.dataset.dataset_name.empty()) {
    return InvalidArgument(
        "`dataset_digest` can only be specified if `dataset_name` is also specified.");
  }
  std::string_view name = std::string_view(order.field_name).substr(kMetrics.size());
  if (name.size() > 2 && name.front() == '`' && name.back() == '`')
    name = name.substr(1, name.size() - 2);
  std::string key = values.Bind(name);
  std::string on_dataset;
  if (!order.dataset.dataset_name.empty()) on_dataset = " AND " + OnDataset(order.dataset, values);
  return SortKey{
      fmt::format("(SELECT CASE WHEN x.is_nan = 1 THEN NULL ELSE x.value END FROM {} AND x.key = "
                  "{}{} ORDER BY x.timestamp_ms DESC, x.step DESC, x.is_nan, x.value DESC LIMIT 1)",
                  kPoints, key, on_dataset),
      FilterValueType::kNumber, order.is_ascending};
}

/// As asked for; then newest first, then by id, so that no two models are equal.
Result<std::vector<SortKey>> MakeSortKeys(std::span<const LoggedModelOrder> order_by,
                                          Values& values) {
  std::vector<SortKey> keys;
  for (const LoggedModelOrder& order : order_by) {
    ASSIGN_OR_RETURN(SortKey key, MakeSortKey(order, values));
    keys.push_back(std::move(key));
  }
  auto has = [&](std::string_view expression) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const SortKey& key) { return key.expression == expression; });
  };
  if (!has(kCreated)) keys.push_back({std::string(kCreated), FilterValueType::kNumber, false});
  if (!has("m.model_id")) keys.push_back({"m.model_id", FilterValueType::kText, true});
  return keys;
}

/// What a page token must agree with, each part named as MLflow names it.
struct RequestPart {
  std::string_view name;
  std::string hash;
};
std::array<RequestPart, 4> PartsOf(const LoggedModelSearch& search) {
  auto hash = [](Json json) {
    Sha256 sha;
    sha.Update(formats::PrintJson(json));
    return sha.Finish().ToHex().substr(0, 16);
  };
  Json ids = Json::MakeArray();
  for (const std::string& id : search.experiment_ids) ids.Append(id);
  Json datasets = Json::MakeArray();
  for (const DatasetFilter& dataset : search.datasets) {
    datasets.Append(dataset.dataset_name);
    datasets.Append(dataset.dataset_digest);
  }
  Json order = Json::MakeArray();
  for (const LoggedModelOrder& one : search.order_by) {
    order.Append(one.field_name);
    order.Append(one.is_ascending);
    order.Append(one.dataset.dataset_name);
    order.Append(one.dataset.dataset_digest);
  }
  return {{{"Experiment IDs", hash(std::move(ids))},
           {"Filter string", hash(search.filter)},
           {"Datasets", hash(std::move(datasets))},
           {"Order by", hash(std::move(order))}}};
}

/// {"of": [hashes of the request's parts], "after": [the last row's sort keys]}
std::string MakeToken(const LoggedModelSearch& search, Json after) {
  Json of = Json::MakeArray();
  for (const RequestPart& part : PartsOf(search)) of.Append(part.hash);
  return EncodeBase64(
      formats::PrintJson(Json::MakeObject({{"of", std::move(of)}, {"after", std::move(after)}})));
}

/// The sort keys behind which the page begins. Errors: kInvalidArgument for what is no token, or
/// one of another request.
Result<Json> ReadToken(const LoggedModelSearch& search, std::span<const SortKey> keys) {
  const Error invalid = InvalidArgument(fmt::format("Invalid page token: {}", search.page_token));
  std::optional<std::string> text = DecodeBase64(search.page_token);
  if (!text) return invalid;
  Result<Json> json = formats::ParseJson(*text);
  if (!json.ok()) return invalid;
  const Json* of = json->Find("of");
  const Json* after = json->Find("after");
  std::array<RequestPart, 4> parts = PartsOf(search);
  if (of == nullptr || !of->is_array() || of->size() != parts.size() || after == nullptr ||
      !after->is_array())
    return invalid;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (of->At(i) == Json(parts[i].hash)) continue;
    return InvalidArgument(
        fmt::format("{} in the page token do not match the requested {}. Go on with the request "
                    "that gave the token, or start anew without it.",
                    parts[i].name, parts[i].name));
  }
  if (after->size() != keys.size()) return invalid;
  for (size_t i = 0; i < keys.size(); ++i) {
    const Json& value = after->At(i);
    bool is_text = keys[i].type == FilterValueType::kText;
    if (!value.is_null() && (is_text ? !value.is_string() : !value.is_number())) return invalid;
  }
  return *after;
}

/// Rows behind `after` in the order of the keys, which are columns s0, s1, ... of q.
std::string Behind(std::span<const SortKey> keys, const Json& after, Values& values) {
  std::string text;
  std::string all_equal;
  for (size_t i = 0; i < keys.size(); ++i) {
    const Json& value = after.At(i);
    std::string column = fmt::format("q.s{}", i);
    std::string is_equal = column + " IS NULL";
    if (!value.is_null()) {
      std::string bound = value.is_string() ? values.Bind(std::string_view(value.AsString()))
                                            : values.Bind(value.AsDouble());
      text += fmt::format("{}({}({} {} {} OR {} IS NULL))", text.empty() ? "" : " OR ", all_equal,
                          column, keys[i].is_ascending ? ">" : "<", bound, column);
      is_equal = fmt::format("{} = {}", column, bound);
    }
    all_equal += is_equal + " AND ";
  }
  return text.empty() ? "FALSE" : text;
}

Json KeyFromRow(const Row& row, int column, FilterValueType type) {
  if (row.IsNull(column)) return Json();
  if (type == FilterValueType::kText) return Json(row.GetText(column));
  return Json(row.GetDouble(column));
}

Status CheckSearch(const LoggedModelSearch& search) {
  if (search.max_count < 1 || search.max_count > Limits::kPageSize) {
    return InvalidArgument(
        fmt::format("Invalid value {} for parameter 'max_results' supplied. It "
                    "must be between 1 and {}.",
                    search.max_count, Limits::kPageSize));
  }
  for (const DatasetFilter& dataset : search.datasets) {
    if (dataset.dataset_name.empty()) {
      return InvalidArgument("`dataset_name` in the `datasets` clause must be specified.");
    }
  }
  return Ok();
}

}  // namespace

Result<LoggedModelPage> LoggedModelStore::Search(const LoggedModelSearch& search) {
  RETURN_IF_ERROR(CheckSearch(search));
  if (search.experiment_ids.empty()) return LoggedModelPage();
  ASSIGN_OR_RETURN(formats::Filter filter, formats::ParseFilter(search.filter));

  Values values;
  std::vector<int64_t> experiment_ids;
  for (const std::string& text : search.experiment_ids) {
    ASSIGN_OR_RETURN(int64_t id, internal::ParseExperimentId(text));
    experiment_ids.push_back(id);
  }
  std::string condition =
      "m.stage = 0 AND m.experiment_id IN (" + values.BindAll(experiment_ids) + ")";
  FilterCompiler compiler(filter, search.datasets, values);
  if (filter.root) {
    ASSIGN_OR_RETURN(std::string compiled, compiler.Compile(*filter.root));
    condition += " AND " + compiled;
  }
  if (!search.datasets.empty() && !compiler.has_metrics()) {
    condition += fmt::format(" AND EXISTS (SELECT 1 FROM {}{})", kPoints,
                             OnDatasets(search.datasets, values));
  }
  ASSIGN_OR_RETURN(std::vector<SortKey> keys, MakeSortKeys(search.order_by, values));
  std::string columns(internal::kLoggedModelColumns);
  std::string order;
  for (size_t i = 0; i < keys.size(); ++i) {
    columns += fmt::format(", {} AS s{}", keys[i].expression, i);
    order += fmt::format("{}q.s{} IS NULL, q.s{}{}", i == 0 ? "" : ", ", i, i,
                         keys[i].is_ascending ? "" : " DESC");
  }
  std::string text = fmt::format("SELECT * FROM (SELECT {} FROM logged_models m WHERE {}) AS q",
                                 columns, condition);
  Json after;
  if (!search.page_token.empty()) {
    ASSIGN_OR_RETURN(after, ReadToken(search, keys));
    text += " WHERE " + Behind(keys, after, values);
  }
  // One more than the page, to know whether there is a next.
  text += fmt::format(" ORDER BY {} LIMIT {}", order, values.Bind(search.max_count + 1));

  return db_.Read([&](Reader& reader) -> Result<LoggedModelPage> {
    LoggedModelPage page;
    Json last;
    bool has_more = false;
    RETURN_IF_ERROR(reader.ForEach(
        Query{"tracking.search_logged_models", text}, values.params(), [&](const Row& row) {
          has_more = page.models.size() == search.max_count;
          if (has_more) return Ok();
          page.models.push_back(internal::LoggedModelFromRow(row));
          if (page.models.size() < search.max_count) return Ok();
          last = Json::MakeArray();
          for (size_t i = 0; i < keys.size(); ++i) {
            int column = internal::kLoggedModelColumnCount + static_cast<int>(i);
            last.Append(KeyFromRow(row, column, keys[i].type));
          }
          return Ok();
        }));
    if (has_more) page.next_token = MakeToken(search, std::move(last));
    RETURN_IF_ERROR(internal::LoadLoggedModelData(reader, page.models));
    return page;
  });
}

}  // namespace sluice::tracking
