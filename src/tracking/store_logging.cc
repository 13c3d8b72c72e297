// What runs log: params, metrics, tags.
#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "tracking/internal/rules.h"
#include "tracking/internal/sql_store.h"

namespace sluice::tracking::internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kInsertParam{
    "tracking.log_param",
    "INSERT INTO params (run_id, key, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"};
constexpr Query kGetParam{"tracking.get_param",
                          "SELECT value FROM params WHERE run_id = $1 AND key = $2"};
constexpr Query kSetTag{"tracking.set_tag",
                        "INSERT INTO tags (run_id, key, value) VALUES ($1, $2, $3) "
                        "ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value"};
constexpr Query kDeleteTag{"tracking.delete_tag",
                           "DELETE FROM tags WHERE run_id = $1 AND key = $2"};

constexpr Query kGetSeries{"tracking.get_metric_series",
                           "SELECT series_id, value, is_nan, timestamp_ms, step FROM metric_series "
                           "WHERE run_id = $1 AND key = $2"};
constexpr Query kMaxSeriesId{"tracking.max_series_id", "SELECT MAX(series_id) FROM metric_series"};
constexpr Query kInsertSeries{
    "tracking.create_metric_series",
    "INSERT INTO metric_series (series_id, run_id, key, value, is_nan, timestamp_ms, step) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Query kUpdateSeries{
    "tracking.set_latest_metric",
    "UPDATE metric_series SET value = $2, is_nan = $3, timestamp_ms = $4, step = $5 "
    "WHERE series_id = $1"};
constexpr Query kInsertPoint{
    "tracking.log_metric",
    "INSERT INTO metric_points (series_id, timestamp_ms, step, is_nan, value) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"};
constexpr Query kListPoints{
    "tracking.get_metric_history",
    "SELECT timestamp_ms, step, is_nan, value FROM metric_points WHERE series_id = $1 "
    "ORDER BY timestamp_ms, step, is_nan, value LIMIT $2"};
constexpr Query kListPointsAfter{
    "tracking.get_metric_history_after",
    "SELECT timestamp_ms, step, is_nan, value FROM metric_points WHERE series_id = $1 "
    "AND (timestamp_ms, step, is_nan, value) > ($3, $4, $5, $6) "
    "ORDER BY timestamp_ms, step, is_nan, value LIMIT $2"};

/// NaN is stored as 0 with a flag: not every engine stores it, and none compares it as one would
/// like.
struct StoredValue {
  double value;
  bool is_nan;
};
StoredValue ToStored(double value) {
  return std::isnan(value) ? StoredValue{0, true} : StoredValue{value, false};
}
double FromStored(double value, bool is_nan) {
  return is_nan ? std::numeric_limits<double>::quiet_NaN() : value;
}

struct Series {
  int64_t id = 0;
  Metric latest;
  bool is_changed = false;
};

/// The run's metrics, one key after another: each key's row is read once and written at most once a
/// batch.
class MetricWriter {
 public:
  MetricWriter(Tx& tx, std::string_view run_id) : tx_(tx), run_id_(run_id) {}

  Status Add(const Metric& metric) {
    ASSIGN_OR_RETURN(Series * series, FindOrCreate(metric));
    if (IsLater(metric, series->latest)) {
      series->latest = metric;
      series->is_changed = true;
    }
    StoredValue stored = ToStored(metric.value);
    RETURN_IF_ERROR(tx_.Execute(
        kInsertPoint, {series->id, metric.timestamp_ms, metric.step, stored.is_nan, stored.value}));
    return Ok();
  }
  Status Finish() {
    for (const auto& [key, series] : series_) {
      if (!series.is_changed) continue;
      StoredValue stored = ToStored(series.latest.value);
      RETURN_IF_ERROR(tx_.Execute(kUpdateSeries, {series.id, stored.value, stored.is_nan,
                                                  series.latest.timestamp_ms, series.latest.step}));
    }
    return Ok();
  }

 private:
  Result<Series*> FindOrCreate(const Metric& metric) {
    auto known = series_.find(metric.key);
    if (known != series_.end()) return &known->second;
    ASSIGN_OR_RETURN(
        auto found, tx_.FindOne(kGetSeries, {run_id_, metric.key}, [&](const Row& row) {
          return Series{.id = row.GetInt64(0),
                        .latest = {.key = metric.key,
                                   .value = FromStored(row.GetDouble(1), row.GetBool(2)),
                                   .timestamp_ms = row.GetInt64(3),
                                   .step = row.GetInt64(4)}};
        }));
    if (found) return &series_.emplace(metric.key, *std::move(found)).first->second;
    if (next_id_ == 0) {
      ASSIGN_OR_RETURN(next_id_, NextNumber(tx_, kMaxSeriesId, 1));
    }
    Series series{.id = next_id_++, .latest = metric};
    StoredValue stored = ToStored(metric.value);
    RETURN_IF_ERROR(tx_.Execute(kInsertSeries, {series.id, run_id_, metric.key, stored.value,
                                                stored.is_nan, metric.timestamp_ms, metric.step}));
    return &series_.emplace(metric.key, std::move(series)).first->second;
  }

  Tx& tx_;
  const std::string_view run_id_;
  std::map<std::string, Series, std::less<>> series_;
  int64_t next_id_ = 0;
};

Status LogParam(Tx& tx, std::string_view run_id, const Param& param) {
  std::string_view value = CutCharacters(param.value, Limits::kParamValueLength);
  ASSIGN_OR_RETURN(int64_t inserted, tx.Execute(kInsertParam, {run_id, param.key, value}));
  if (inserted > 0) return Ok();
  ASSIGN_OR_RETURN(auto old_value, tx.FindOne(kGetParam, {run_id, param.key},
                                              [](const Row& row) { return row.GetText(0); }));
  if (old_value == value) return Ok();
  return InvalidArgument(
      fmt::format("Changing param values is not allowed. Param with key='{}' was already logged "
                  "with value='{}' for run ID='{}'. Attempted logging new value '{}'.",
                  param.key, old_value.value_or(""), run_id, value));
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

/// Where a page of points ends: "<timestamp>:<step>:<is nan>:<bits of the value in hex>".
struct PointEnd {
  int64_t timestamp_ms = 0;
  int64_t step = 0;
  int64_t is_nan = 0;
  uint64_t value_bits = 0;

  std::string ToToken() const {
    return fmt::format("{}:{}:{}:{:x}", timestamp_ms, step, is_nan, value_bits);
  }
  static Result<PointEnd> FromToken(std::string_view token) {
    PointEnd end;
    const char* at = token.data();
    const char* stop = token.data() + token.size();
    auto take = [&](auto& value, int base) {
      auto [parsed, error] = std::from_chars(at, stop, value, base);
      if (error != std::errc()) return false;
      at = parsed;
      return true;
    };
    auto colon = [&] { return at != stop && *at++ == ':'; };
    bool is_good = take(end.timestamp_ms, 10) && colon() && take(end.step, 10) && colon() &&
                   take(end.is_nan, 10) && colon() && take(end.value_bits, 16) && at == stop &&
                   !std::isnan(std::bit_cast<double>(end.value_bits));
    if (!is_good)
      return InvalidArgument(fmt::format("'{}' is no page token of a metric's history", token));
    return end;
  }
};

}  // namespace

Status SetRunTagIn(Tx& tx, std::string_view run_id, const Tag& tag) {
  std::string_view value = CutCharacters(tag.value, Limits::kRunTagValueLength);
  RETURN_IF_ERROR(tx.Execute(kSetTag, {run_id, tag.key, value}));
  return tag.key == kRunNameTag ? SetRunNameIn(tx, run_id, value) : Ok();
}

Status SqlStore::LogBatch(std::string_view run_id, const Batch& batch) {
  RETURN_IF_ERROR(CheckBatch(batch));
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetActiveRunIn(tx, run_id));
        for (const Param& param : batch.params) RETURN_IF_ERROR(LogParam(tx, run_id, param));
        MetricWriter writer(tx, run_id);
        for (const Metric& metric : batch.metrics) RETURN_IF_ERROR(writer.Add(metric));
        RETURN_IF_ERROR(writer.Finish());
        for (const Tag& tag : batch.tags) RETURN_IF_ERROR(SetRunTagIn(tx, run_id, tag));
        return Ok();
      },
      io::Durability::kFast);
}

Status SqlStore::DeleteTag(std::string_view run_id, std::string_view key) {
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetActiveRunIn(tx, run_id));
        ASSIGN_OR_RETURN(int64_t count, tx.Execute(kDeleteTag, {run_id, key}));
        if (count == 0)
          return NotFound(fmt::format("No tag with name: {} in run with id {}", key, run_id));
        return Ok();
      },
      io::Durability::kFast);
}

Result<MetricPage> SqlStore::GetMetricHistory(std::string_view run_id, std::string_view key,
                                              size_t max_count, std::string_view page_token) {
  if (max_count == 0 || max_count > Limits::kPageSize) {
    return InvalidArgument(fmt::format("a page of {} points was asked for; it may have 1 to {}",
                                       max_count, Limits::kPageSize));
  }
  std::optional<PointEnd> after;
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(after, PointEnd::FromToken(page_token));
  }
  return db_.Read([&](Reader& reader) -> Result<MetricPage> {
    RETURN_IF_ERROR(GetRunInfoIn(reader, run_id));
    MetricPage page;
    ASSIGN_OR_RETURN(auto series_id, reader.FindOne(kGetSeries, {run_id, key}, [](const Row& row) {
      return row.GetInt64(0);
    }));
    if (!series_id) return page;
    auto from_row = [&](const Row& row) {
      return Metric{.key = std::string(key),
                    .value = FromStored(row.GetDouble(3), row.GetBool(2)),
                    .timestamp_ms = row.GetInt64(0),
                    .step = row.GetInt64(1)};
    };
    if (after) {
      ASSIGN_OR_RETURN(page.metrics,
                       reader.FindAll(kListPointsAfter,
                                      {*series_id, max_count + 1, after->timestamp_ms, after->step,
                                       after->is_nan, std::bit_cast<double>(after->value_bits)},
                                      from_row));
    } else {
      ASSIGN_OR_RETURN(page.metrics,
                       reader.FindAll(kListPoints, {*series_id, max_count + 1}, from_row));
    }
    if (page.metrics.size() > max_count) {
      page.metrics.pop_back();
      const Metric& last = page.metrics.back();
      StoredValue stored = ToStored(last.value);
      page.next_token = PointEnd{last.timestamp_ms, last.step, stored.is_nan ? 1 : 0,
                                 std::bit_cast<uint64_t>(stored.value)}
                            .ToToken();
    }
    return page;
  });
}

}  // namespace sluice::tracking::internal
