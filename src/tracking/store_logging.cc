// What runs log: params, metrics, tags. Each kind has two ways to its table: one row after the
// other, which suits an engine in the process, and all in one statement with arrays, which suits a
// server, where a thousand statements cost more than a thousand rows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "tracking/internal/array_text.h"
#include "tracking/internal/list_tag.h"
#include "tracking/internal/logged_model_rows.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/series_sql.h"
#include "tracking/internal/sql_store.h"
#include "tracking/internal/stored_value.h"

namespace sluice::tracking::internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kIsServer{"tracking.is_server", "SELECT 0", "SELECT 1"};

constexpr Query kInsertParam{"tracking.log_param",
                             "INSERT INTO params (run_no, experiment_id, key, value, value_head) "
                             "VALUES ($1, $2, $3, $4, substr($4, 1, 200)) ON CONFLICT DO NOTHING"};
constexpr Query kGetParam{"tracking.get_param",
                          "SELECT value FROM params WHERE run_no = $1 AND key = $2"};
// Of a server. What is read is what was there before.
constexpr Query kInsertParams{
    "tracking.log_params",
    "WITH given AS (SELECT key, value FROM unnest(CAST($3 AS TEXT[]), CAST($4 AS TEXT[])) "
    "AS g (key, value)), "
    "added AS (INSERT INTO params (run_no, experiment_id, key, value, value_head) "
    "SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), key, value, substr(value, 1, 200) FROM given "
    "ON CONFLICT DO NOTHING) "
    "SELECT p.key, p.value FROM params p JOIN given g ON g.key = p.key "
    "WHERE p.run_no = CAST($1 AS BIGINT) AND p.value <> g.value"};

constexpr Query kSetTag{"tracking.set_tag",
                        "INSERT INTO tags (run_no, experiment_id, key, value, value_head) "
                        "VALUES ($1, $2, $3, $4, substr($4, 1, 200)) "
                        "ON CONFLICT (run_no, key) DO UPDATE SET value = excluded.value, "
                        "value_head = excluded.value_head"};
constexpr Query kSetTags{
    "tracking.set_tags",
    "INSERT INTO tags (run_no, experiment_id, key, value, value_head) "
    "SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), key, value, substr(value, 1, 200) "
    "FROM unnest(CAST($3 AS TEXT[]), CAST($4 AS TEXT[])) AS g (key, value) "
    "ON CONFLICT (run_no, key) DO UPDATE SET value = excluded.value, "
    "value_head = excluded.value_head"};
constexpr Query kSetName{"tracking.set_run_name", "UPDATE runs SET name = $2 WHERE run_no = $1"};
constexpr Query kGetTag{"tracking.get_tag",
                        "SELECT value FROM tags WHERE run_no = $1 AND key = $2"};
constexpr Query kDeleteTag{"tracking.delete_tag",
                           "DELETE FROM tags WHERE run_no = $1 AND key = $2"};

constexpr Query kSetSeries{"tracking.set_latest_metric",
                           SLUICE_INSERT_ONE_SERIES SLUICE_ON_SERIES_CONFLICT};
constexpr Query kInsertPoint{
    "tracking.log_metric",
    "INSERT INTO metric_points (series_id, timestamp_ms, step, is_nan, value) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"};
// Of a server: the points of one metric, and of several.
constexpr Query kLogOneMetric{
    "tracking.log_points_of_metric",
    "WITH s AS (" SLUICE_INSERT_SERIES
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)" SLUICE_ON_SERIES_CONFLICT
    ") INSERT INTO metric_points (series_id, timestamp_ms, step, is_nan, value) "
    "SELECT s.series_id, p.timestamp_ms, p.step, p.is_nan, p.value FROM s, "
    "unnest(CAST($10 AS BIGINT[]), CAST($11 AS BIGINT[]), CAST($12 AS BIGINT[]), "
    "CAST($13 AS DOUBLE PRECISION[])) AS p (timestamp_ms, step, is_nan, value) "
    "ON CONFLICT DO NOTHING"};
constexpr Query kSetManySeries{
    "tracking.set_latest_metrics", SLUICE_INSERT_SERIES
    "SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), g.* FROM unnest(CAST($3 AS TEXT[]), "
    "CAST($4 AS BIGINT[]), CAST($5 AS BIGINT[]), CAST($6 AS DOUBLE PRECISION[]), "
    "CAST($7 AS BIGINT[]), CAST($8 AS DOUBLE PRECISION[]), CAST($9 AS DOUBLE PRECISION[])) AS "
    "g" SLUICE_ON_SERIES_CONFLICT ", key"};
constexpr Query kInsertPoints{
    "tracking.log_points",
    "INSERT INTO metric_points (series_id, timestamp_ms, step, is_nan, value) "
    "SELECT g.* FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[]), "
    "CAST($4 AS BIGINT[]), CAST($5 AS DOUBLE PRECISION[])) AS g ON CONFLICT DO NOTHING"};

/// What a batch says of one metric.
struct SeriesBatch {
  const Metric* latest = nullptr;
  std::optional<double> min_value;  ///< nothing: all NaN
  std::optional<double> max_value;
  std::vector<const Metric*> points;
};

std::map<std::string_view, SeriesBatch> GroupByKey(std::span<const Metric> metrics) {
  std::map<std::string_view, SeriesBatch> batches;
  for (const Metric& metric : metrics) {
    SeriesBatch& batch = batches[metric.key];
    batch.points.push_back(&metric);
    if (batch.latest == nullptr || IsLater(metric, *batch.latest)) batch.latest = &metric;
    StoredValue stored(metric.value);
    if (stored.is_nan) continue;
    batch.min_value = std::min(batch.min_value.value_or(stored.value), stored.value);
    batch.max_value = std::max(batch.max_value.value_or(stored.value), stored.value);
  }
  return batches;
}

Status LogMetricsByRow(Tx& tx, const RunKey& run, std::span<const Metric> metrics) {
  for (const auto& [key, batch] : GroupByKey(metrics)) {
    StoredValue latest(batch.latest->value);
    ASSIGN_OR_RETURN(auto series_id,
                     tx.FindOne(kSetSeries,
                                {run.run_no, run.experiment_id, key, batch.latest->step,
                                 batch.latest->timestamp_ms, latest.value, latest.is_nan,
                                 batch.min_value, batch.max_value},
                                [](const Row& row) { return row.GetInt64(0); }));
    if (!series_id) return Internal("a metric got no number");
    for (const Metric* point : batch.points) {
      StoredValue stored(point->value);
      RETURN_IF_ERROR(tx.Post(kInsertPoint, {*series_id, point->timestamp_ms, point->step,
                                             stored.is_nan, stored.value}));
    }
  }
  return Ok();
}

/// The columns of metric_points.
struct PointArrays {
  ArrayText timestamps;
  ArrayText steps;
  ArrayText nans;
  ArrayText values;
  void Add(const Metric& point) {
    StoredValue stored(point.value);
    timestamps.Add(point.timestamp_ms);
    steps.Add(point.step);
    nans.Add(int64_t{stored.is_nan});
    values.Add(stored.value);
  }
};

Status LogMetricsByArray(Tx& tx, const RunKey& run, std::span<const Metric> metrics) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();  // printed as NULL
  std::map<std::string_view, SeriesBatch> batches = GroupByKey(metrics);
  PointArrays points;
  if (batches.size() == 1) {
    const auto& [key, batch] = *batches.begin();
    StoredValue latest(batch.latest->value);
    for (const Metric* point : batch.points) points.Add(*point);
    return tx.Post(kLogOneMetric, {run.run_no, run.experiment_id, key, batch.latest->step,
                                   batch.latest->timestamp_ms, latest.value, latest.is_nan,
                                   batch.min_value, batch.max_value, points.timestamps.Text(),
                                   points.steps.Text(), points.nans.Text(), points.values.Text()});
  }
  ArrayText keys, minima, maxima;
  PointArrays latest_points;
  for (const auto& [key, batch] : batches) {
    keys.Add(key);
    latest_points.Add(*batch.latest);
    minima.Add(batch.min_value.value_or(kNone));
    maxima.Add(batch.max_value.value_or(kNone));
  }
  ArrayText series_ids;
  RETURN_IF_ERROR(
      tx.ForEach(kSetManySeries,
                 {run.run_no, run.experiment_id, keys.Text(), latest_points.steps.Text(),
                  latest_points.timestamps.Text(), latest_points.values.Text(),
                  latest_points.nans.Text(), minima.Text(), maxima.Text()},
                 [&](const Row& row) {
                   for (const Metric* point : batches[row.GetTextView(1)].points) {
                     series_ids.Add(row.GetInt64(0));
                     points.Add(*point);
                   }
                   return Ok();
                 }));
  return tx.Post(kInsertPoints, {series_ids.Text(), points.timestamps.Text(), points.steps.Text(),
                                 points.nans.Text(), points.values.Text()});
}

/// The values of these params that were there before and differ.
using OldValues = std::map<std::string, std::string, std::less<>>;

Result<OldValues> InsertParamsByRow(Tx& tx, const RunKey& run, std::span<const Param> params) {
  OldValues old_values;
  for (const Param& param : params) {
    std::string_view value = CutCharacters(param.value, Limits::kParamValueLength);
    ASSIGN_OR_RETURN(int64_t inserted,
                     tx.Execute(kInsertParam, {run.run_no, run.experiment_id, param.key, value}));
    if (inserted > 0) continue;
    ASSIGN_OR_RETURN(auto old_value, tx.FindOne(kGetParam, {run.run_no, param.key},
                                                [](const Row& row) { return row.GetText(0); }));
    if (old_value && *old_value != value) old_values.emplace(param.key, *std::move(old_value));
  }
  return old_values;
}

Result<OldValues> InsertParamsByArray(Tx& tx, const RunKey& run, std::span<const Param> params) {
  ArrayText keys, values;
  for (const Param& param : params) {
    keys.Add(param.key);
    values.Add(CutCharacters(param.value, Limits::kParamValueLength));
  }
  OldValues old_values;
  RETURN_IF_ERROR(tx.ForEach(kInsertParams,
                             {run.run_no, run.experiment_id, keys.Text(), values.Text()},
                             [&](const Row& row) {
                               old_values.emplace(row.GetText(0), row.GetText(1));
                               return Ok();
                             }));
  return old_values;
}

/// As Python prints a string.
std::string Quoted(std::string_view text) {
  const bool has_single = text.find('\'') != text.npos;
  const char quote = has_single && text.find('"') == text.npos ? '"' : '\'';
  std::string quoted(1, quote);
  for (char c : text) {
    switch (c) {
      case '\n': quoted += "\\n"; continue;
      case '\r': quoted += "\\r"; continue;
      case '\t': quoted += "\\t"; continue;
      default: break;
    }
    if (c == '\\' || c == quote) quoted += '\\';
    quoted += c;
  }
  return quoted + quote;
}

Error ChangedParams(std::string_view run_id, const Batch& batch, const OldValues& old_values) {
  std::string list;
  for (const Param& param : batch.params) {
    auto old_value = old_values.find(param.key);
    if (old_value == old_values.end()) continue;
    std::string_view value = CutCharacters(param.value, Limits::kParamValueLength);
    if (batch.is_single) {
      return InvalidArgument(fmt::format(
          "Changing param values is not allowed. Param with key='{}' was already logged with "
          "value='{}' for run ID='{}'. Attempted logging new value '{}'.",
          param.key, old_value->second, run_id, value));
    }
    list +=
        fmt::format("{}{{'key': {}, 'old_value': {}, 'new_value': {}}}", list.empty() ? "" : ", ",
                    Quoted(param.key), Quoted(old_value->second), Quoted(value));
  }
  return InvalidArgument(
      fmt::format("Changing param values is not allowed. Params were already logged='[{}]' for run "
                  "ID='{}'.",
                  list, run_id));
}

Status CheckBatch(const Batch& batch) {
  auto place = [&](std::string_view list, size_t index) {
    return batch.is_single ? Place{} : Place{list, index};
  };
  for (size_t i = 0; i < batch.metrics.size(); ++i)
    RETURN_IF_ERROR(CheckMetric(place("metrics", i), batch.metrics[i]));
  std::set<std::string_view> keys;
  std::string repeated;
  for (size_t i = 0; i < batch.params.size(); ++i) {
    const Param& param = batch.params[i];
    RETURN_IF_ERROR(CheckParam(place("params", i), param));
    if (!keys.insert(param.key).second)
      repeated += fmt::format("{}'{}'", repeated.empty() ? "" : ", ", param.key);
  }
  if (!repeated.empty()) {
    return InvalidArgument(
        fmt::format("Duplicate parameter keys have been submitted: [{}]. Please ensure the request "
                    "contains only one param value per param key.",
                    repeated));
  }
  for (size_t i = 0; i < batch.tags.size(); ++i)
    RETURN_IF_ERROR(CheckTag(place("tags", i), batch.tags[i]));
  return Ok();
}

}  // namespace

Result<bool> FindIsServer(Reader& reader) {
  ASSIGN_OR_RETURN(auto is_server,
                   reader.FindOne(kIsServer, {}, [](const Row& row) { return row.GetBool(0); }));
  return is_server.value_or(false);
}

Status InsertRunTagsIn(Tx& tx, const RunKey& run, std::span<const Tag> tags, bool is_server) {
  if (tags.empty()) return Ok();
  if (!is_server) {
    for (const Tag& tag : tags) {
      std::string_view value = CutCharacters(tag.value, Limits::kRunTagValueLength);
      RETURN_IF_ERROR(tx.Post(kSetTag, {run.run_no, run.experiment_id, tag.key, value}));
    }
    return Ok();
  }
  // A statement with arrays must not meet a row twice.
  std::map<std::string_view, std::string_view> by_key;
  for (const Tag& tag : tags)
    by_key[tag.key] = CutCharacters(tag.value, Limits::kRunTagValueLength);
  ArrayText keys, values;
  for (const auto& [key, value] : by_key) {
    keys.Add(key);
    values.Add(value);
  }
  return tx.Post(kSetTags, {run.run_no, run.experiment_id, keys.Text(), values.Text()});
}

Status SetRunTagsIn(Tx& tx, const RunKey& run, std::span<const Tag> tags, bool is_server) {
  auto is_no_name = [](const Tag& tag) { return tag.key == kRunNameTag && tag.value.empty(); };
  if (std::any_of(tags.begin(), tags.end(), is_no_name)) {
    std::vector<Tag> kept(tags.begin(), tags.end());
    std::erase_if(kept, is_no_name);
    return SetRunTagsIn(tx, run, kept, is_server);
  }
  RETURN_IF_ERROR(InsertRunTagsIn(tx, run, tags, is_server));
  auto name = std::find_if(tags.rbegin(), tags.rend(),
                           [](const Tag& tag) { return tag.key == kRunNameTag; });
  if (name == tags.rend()) return Ok();
  return tx.Post(kSetName, {run.run_no, CutCharacters(name->value, Limits::kRunTagValueLength)});
}

Status SqlStore::LogBatch(std::string_view run_id, const Batch& batch) {
  RETURN_IF_ERROR(CheckBatch(batch));
  WriteListener* listener = options_.listener;
  const bool tells_metrics =
      !batch.metrics.empty() && listener != nullptr && listener->wants_metrics();
  return db_.Write(
      [&](Tx& tx) -> Status {
        ASSIGN_OR_RETURN(RunKey run, GetActiveRunKeyIn(tx, run_id));
        if (!batch.params.empty()) {
          ASSIGN_OR_RETURN(OldValues old_values, is_server_
                                                     ? InsertParamsByArray(tx, run, batch.params)
                                                     : InsertParamsByRow(tx, run, batch.params));
          if (!old_values.empty()) return ChangedParams(run_id, batch, old_values);
        }
        if (!batch.metrics.empty()) {
          RETURN_IF_ERROR(is_server_ ? LogMetricsByArray(tx, run, batch.metrics)
                                     : LogMetricsByRow(tx, run, batch.metrics));
          RETURN_IF_ERROR(LogModelMetricsIn(tx, run_id, batch.metrics));
        }
        RETURN_IF_ERROR(SetRunTagsIn(tx, run, batch.tags, is_server_));
        if (tells_metrics) {
          ASSIGN_OR_RETURN(RunInfo info, GetActiveRunIn(tx, run_id));
          RETURN_IF_ERROR(listener->OnMetrics(tx, info, batch.metrics));
        }
        return Ok();
      },
      sql::WriteOptions{.durability = io::Durability::kFast, .scope = run_id});
}

Status SqlStore::AppendToListTag(std::string_view run_id, std::string_view key,
                                 const formats::Json& item, ListItemRule rule) {
  RETURN_IF_ERROR(CheckTag({}, {std::string(key), {}}));
  return db_.Write(
      [&](Tx& tx) -> Status {
        ASSIGN_OR_RETURN(RunKey run, GetActiveRunKeyIn(tx, run_id));
        ASSIGN_OR_RETURN(auto value, tx.FindOne(kGetTag, {run.run_no, key},
                                                [](const Row& row) { return row.GetText(0); }));
        ASSIGN_OR_RETURN(const auto appended, AppendedList(value, item, rule));
        if (!appended) return Ok();
        return tx.Post(kSetTag, {run.run_no, run.experiment_id, key, *appended});
      },
      sql::WriteOptions{.durability = io::Durability::kFast, .scope = run_id});
}

Status SqlStore::DeleteTag(std::string_view run_id, std::string_view key) {
  return db_.Write(
      [&](Tx& tx) -> Status {
        ASSIGN_OR_RETURN(RunKey run, GetActiveRunKeyIn(tx, run_id));
        ASSIGN_OR_RETURN(int64_t count, tx.Execute(kDeleteTag, {run.run_no, key}));
        if (count == 0)
          return NotFound(fmt::format("No tag with name: {} in run with id {}", key, run_id));
        return Ok();
      },
      sql::WriteOptions{.durability = io::Durability::kFast, .scope = run_id});
}

}  // namespace sluice::tracking::internal
