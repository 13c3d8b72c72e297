#include "tracking/bulk_writer.h"

#include <fmt/format.h>

#include <limits>
#include <map>
#include <unordered_map>

#include "formats/json.h"
#include "tracking/internal/logged_model_rows.h"
#include "tracking/internal/row_writer.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/series_sql.h"
#include "tracking/internal/sql_store.h"
#include "tracking/internal/stored_value.h"

namespace sluice::tracking {
namespace {

using internal::RowWriter;
using internal::StoredValue;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kInsertExperiment{
    "tracking.bulk_experiments",
    "INSERT INTO experiments (experiment_id, name, artifact_location, stage, created_ms, "
    "updated_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (experiment_id) DO NOTHING"};
constexpr Query kInsertExperimentTag{
    "tracking.bulk_experiment_tags",
    "INSERT INTO experiment_tags (experiment_id, key, value) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING"};

// A run that goes on there when it was imported first is brought up to date.
#define SLUICE_ON_RUN_CONFLICT                                                              \
  " ON CONFLICT (run_id) DO UPDATE SET status = excluded.status, end_ms = excluded.end_ms " \
  "WHERE runs.status <= 2 AND excluded.status > 2"
#define SLUICE_RUN_COLUMNS                                                             \
  "INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_ms, end_ms, " \
  "artifact_uri, stage, deleted_ms, user_head) "
constexpr Query kInsertRun{
    "tracking.bulk_runs",
    SLUICE_RUN_COLUMNS
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, substr($4, 1, 200))" SLUICE_ON_RUN_CONFLICT,
    SLUICE_RUN_COLUMNS
    "SELECT g.*, substr(user_id, 1, 200) FROM unnest(CAST($1 AS TEXT[]), CAST($2 AS BIGINT[]), "
    "CAST($3 AS TEXT[]), CAST($4 AS TEXT[]), CAST($5 AS BIGINT[]), CAST($6 AS BIGINT[]), "
    "CAST($7 AS BIGINT[]), CAST($8 AS TEXT[]), CAST($9 AS BIGINT[]), CAST($10 AS BIGINT[])) "
    "AS g (run_id, experiment_id, name, user_id, status, start_ms, end_ms, artifact_uri, stage, "
    "deleted_ms)" SLUICE_ON_RUN_CONFLICT};
#undef SLUICE_ON_RUN_CONFLICT
#undef SLUICE_RUN_COLUMNS
constexpr Query kFindRuns{
    "tracking.bulk_run_numbers",
    "SELECT run_no, experiment_id, run_id FROM runs "
    "WHERE run_id IN (SELECT value FROM json_each($1))",
    "SELECT run_no, experiment_id, run_id FROM runs "
    "WHERE run_id IN (SELECT jsonb_array_elements_text(CAST($1 AS JSONB)) COLLATE \"C\")"};

#define SLUICE_BULK_TEXTS(TABLE)                                             \
  "INSERT INTO " TABLE                                                       \
  " (run_no, experiment_id, key, value, value_head) "                        \
  "VALUES ($1, $2, $3, $4, substr($4, 1, 200)) ON CONFLICT DO NOTHING",      \
      "INSERT INTO " TABLE                                                   \
      " (run_no, experiment_id, key, value, value_head) "                    \
      "SELECT g.*, substr(value, 1, 200) FROM unnest(CAST($1 AS BIGINT[]), " \
      "CAST($2 AS BIGINT[]), CAST($3 AS TEXT[]), CAST($4 AS TEXT[])) "       \
      "AS g (run_no, experiment_id, key, value) ON CONFLICT DO NOTHING"
constexpr Query kInsertParam{"tracking.bulk_params", SLUICE_BULK_TEXTS("params")};
constexpr Query kInsertTag{"tracking.bulk_tags", SLUICE_BULK_TEXTS("tags")};
#undef SLUICE_BULK_TEXTS

constexpr Query kSetSeries{"tracking.bulk_series",
                           SLUICE_INSERT_ONE_SERIES SLUICE_ON_SERIES_CONFLICT};
// Of a server.
constexpr Query kSetManySeries{
    "tracking.bulk_many_series", SLUICE_INSERT_SERIES
    "SELECT g.* FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS BIGINT[]), CAST($3 AS TEXT[]), "
    "CAST($4 AS BIGINT[]), CAST($5 AS BIGINT[]), CAST($6 AS DOUBLE PRECISION[]), "
    "CAST($7 AS BIGINT[]), CAST($8 AS DOUBLE PRECISION[]), CAST($9 AS DOUBLE PRECISION[])) "
    "AS g" SLUICE_ON_SERIES_CONFLICT ", run_no, key"};
constexpr Query kInsertPoint{
    "tracking.bulk_points",
    "INSERT INTO metric_points (series_id, timestamp_ms, step, is_nan, value) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    "INSERT INTO metric_points (series_id, timestamp_ms, step, is_nan, value) "
    "SELECT g.* FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[]), "
    "CAST($4 AS BIGINT[]), CAST($5 AS DOUBLE PRECISION[])) AS g ON CONFLICT DO NOTHING"};

constexpr Query kInsertLink{
    "tracking.bulk_dataset_links",
    "INSERT INTO dataset_links (run_id, direction, dataset_id) SELECT $1, 0, dataset_id "
    "FROM datasets WHERE experiment_id = $2 AND name = $3 AND digest = $4 ON CONFLICT DO NOTHING"};
constexpr Query kInsertLinkTag{
    "tracking.bulk_dataset_link_tags",
    "INSERT INTO dataset_link_tags (run_id, direction, dataset_id, key, value) "
    "SELECT $1, 0, dataset_id, $5, $6 FROM datasets WHERE experiment_id = $2 AND name = $3 "
    "AND digest = $4 ON CONFLICT DO NOTHING"};
constexpr Query kInsertModelLink{
    "tracking.bulk_model_links",
    "INSERT INTO model_links (run_id, direction, model_id, step) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING"};

constexpr Query kInsertModel{
    "tracking.bulk_logged_models",
    "INSERT INTO logged_models (model_id, experiment_id, name, artifact_uri, status, "
    "status_message, model_type, source_run_id, stage, created_ms, updated_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (model_id) DO NOTHING"};
constexpr Query kInsertModelTag{
    "tracking.bulk_logged_model_tags",
    "INSERT INTO logged_model_tags (model_id, key, value) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING"};
constexpr Query kInsertModelParam{
    "tracking.bulk_logged_model_params",
    "INSERT INTO logged_model_params (model_id, key, value) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING"};

constexpr Query kGetProgress{
    "tracking.get_import_progress",
    "SELECT position, is_done FROM import_progress WHERE source = $1 AND phase = $2"};
constexpr Query kSetProgress{
    "tracking.set_import_progress",
    "INSERT INTO import_progress (source, phase, position, is_done, updated_ms) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (source, phase) DO UPDATE SET "
    "position = excluded.position, is_done = excluded.is_done, updated_ms = excluded.updated_ms"};

struct RunPlace {
  int64_t run_no = 0;
  int64_t experiment_id = 0;
};
using RunPlaces = std::unordered_map<std::string, RunPlace>;

Result<RunPlaces> FindRunsIn(Reader& reader, const std::vector<std::string_view>& run_ids) {
  formats::Json ids = formats::Json::MakeArray();
  for (std::string_view run_id : run_ids) ids.Append(std::string(run_id));
  const std::string text = formats::PrintJson(ids);
  RunPlaces places;
  RETURN_IF_ERROR(reader.ForEach(kFindRuns, {text}, [&](const Row& row) -> Status {
    places[row.GetText(2)] = {.run_no = row.GetInt64(0), .experiment_id = row.GetInt64(1)};
    return Ok();
  }));
  return places;
}

/// What is known of one metric of one run.
struct Series {
  int64_t experiment_id = 0;
  const Metric* latest = nullptr;
  std::optional<double> min_value;
  std::optional<double> max_value;
  int64_t series_id = 0;

  void Add(const Metric& metric) {
    if (latest == nullptr || IsLater(metric, *latest)) latest = &metric;
    const StoredValue stored(metric.value);
    if (stored.is_nan) return;
    min_value = std::min(min_value.value_or(stored.value), stored.value);
    max_value = std::max(max_value.value_or(stored.value), stored.value);
  }
};

/// Metrics of many runs: first their series, all at once, then their points.
class MetricsWriter {
 public:
  MetricsWriter(Tx& tx, bool is_server) : tx_(tx), is_server_(is_server) {}

  /// Borrows the metrics. `latest` are points without being part of the history.
  void Add(const RunPlace& run, std::span<const Metric> latest, std::span<const Metric> points) {
    for (const Metric& metric : latest) SeriesOf(run, metric).Add(metric);
    for (const Metric& metric : points) {
      Series& series = SeriesOf(run, metric);
      series.Add(metric);
      points_.push_back({&series, &metric});
    }
  }

  Status Write() {
    RETURN_IF_ERROR(is_server_ ? WriteSeriesByArray() : WriteSeriesByRow());
    RowWriter rows(tx_, is_server_, kInsertPoint);
    for (const auto& [series, metric] : points_) {
      const StoredValue stored(metric->value);
      RETURN_IF_ERROR(rows.Add(
          {series->series_id, metric->timestamp_ms, metric->step, stored.is_nan, stored.value}));
    }
    return rows.Flush();
  }

 private:
  using Key = std::pair<int64_t, std::string_view>;  // run_no, metric

  Series& SeriesOf(const RunPlace& run, const Metric& metric) {
    Series& series = series_[{run.run_no, metric.key}];
    series.experiment_id = run.experiment_id;
    return series;
  }

  Status WriteSeriesByRow() {
    for (auto& [key, series] : series_) {
      const Metric& latest = *series.latest;
      const StoredValue stored(latest.value);
      ASSIGN_OR_RETURN(auto series_id,
                       tx_.FindOne(kSetSeries,
                                   {key.first, series.experiment_id, key.second, latest.step,
                                    latest.timestamp_ms, stored.value, stored.is_nan,
                                    series.min_value, series.max_value},
                                   [](const Row& row) { return row.GetInt64(0); }));
      if (!series_id) return Internal("a metric got no number");
      series.series_id = *series_id;
    }
    return Ok();
  }

  Status WriteSeriesByArray() {
    if (series_.empty()) return Ok();
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();  // printed as NULL
    internal::ArrayText run_nos, experiments, keys, steps, timestamps, values, nans, minima, maxima;
    for (const auto& [key, series] : series_) {
      const StoredValue stored(series.latest->value);
      run_nos.Add(key.first);
      experiments.Add(series.experiment_id);
      keys.Add(key.second);
      steps.Add(series.latest->step);
      timestamps.Add(series.latest->timestamp_ms);
      values.Add(stored.value);
      nans.Add(int64_t{stored.is_nan});
      minima.Add(series.min_value.value_or(kNone));
      maxima.Add(series.max_value.value_or(kNone));
    }
    return tx_.ForEach(
        kSetManySeries,
        {run_nos.Text(), experiments.Text(), keys.Text(), steps.Text(), timestamps.Text(),
         values.Text(), nans.Text(), minima.Text(), maxima.Text()},
        [&](const Row& row) -> Status {
          auto found = series_.find({row.GetInt64(1), row.GetTextView(2)});
          if (found == series_.end()) return Internal("a metric came back changed");
          found->second.series_id = row.GetInt64(0);
          return Ok();
        });
  }

  Tx& tx_;
  const bool is_server_;
  std::map<Key, Series> series_;
  std::vector<std::pair<Series*, const Metric*>> points_;
};

Status AddLinksIn(Tx& tx, const BulkRun& run) {
  const std::string& run_id = run.run.info.run_id;
  for (const BulkDatasetLink& link : run.inputs) {
    RETURN_IF_ERROR(tx.Post(kInsertLink, {run_id, link.experiment_id, link.name, link.digest}));
    for (const Tag& tag : link.tags) {
      RETURN_IF_ERROR(tx.Post(kInsertLinkTag, {run_id, link.experiment_id, link.name, link.digest,
                                               tag.key, tag.value}));
    }
  }
  for (const std::string& model_id : run.run.model_inputs) {
    RETURN_IF_ERROR(tx.Post(kInsertModelLink, {run_id, internal::Direction::kInput, model_id, 0}));
  }
  for (const ModelOutput& output : run.run.model_outputs) {
    RETURN_IF_ERROR(tx.Post(kInsertModelLink,
                            {run_id, internal::Direction::kOutput, output.model_id, output.step}));
  }
  return Ok();
}

}  // namespace

Status AddExperimentsIn(Tx& tx, std::span<const Experiment> experiments) {
  for (const Experiment& experiment : experiments) {
    ASSIGN_OR_RETURN(const int64_t id, internal::ParseExperimentId(experiment.id));
    const Result<int64_t> added = tx.Execute(
        kInsertExperiment, {id, experiment.name, experiment.artifact_location, experiment.stage,
                            experiment.created_ms, experiment.updated_ms});
    if (!added.ok() && added.error().code() == ErrorCode::kAlreadyExists) {
      return AlreadyExists(
          fmt::format("experiment {} cannot come with its name '{}': another "
                      "experiment has it here; rename one of them",
                      id, experiment.name));
    }
    RETURN_IF_ERROR(added);
    for (const Tag& tag : experiment.tags)
      RETURN_IF_ERROR(tx.Post(kInsertExperimentTag, {id, tag.key, tag.value}));
  }
  return Ok();
}

Status AddDatasetsIn(Tx& tx, std::span<const BulkDataset> datasets) {
  for (const BulkDataset& one : datasets)
    RETURN_IF_ERROR(internal::FindOrCreateDatasetIn(tx, one.experiment_id, one.dataset));
  return Ok();
}

Status AddRunsIn(Tx& tx, std::span<const BulkRun> runs) {
  ASSIGN_OR_RETURN(const bool is_server, internal::FindIsServer(tx));
  std::vector<std::string_view> run_ids;
  RowWriter rows(tx, is_server, kInsertRun);
  for (const BulkRun& one : runs) {
    const RunInfo& info = one.run.info;
    ASSIGN_OR_RETURN(const int64_t experiment_id, internal::ParseExperimentId(info.experiment_id));
    RETURN_IF_ERROR(
        rows.Add({info.run_id, experiment_id, info.name, info.user_id, info.status, info.start_ms,
                  info.end_ms, info.artifact_uri, info.stage, one.deleted_ms}));
    run_ids.push_back(info.run_id);
  }
  RETURN_IF_ERROR(rows.Flush());
  ASSIGN_OR_RETURN(const RunPlaces places, FindRunsIn(tx, run_ids));

  RowWriter params(tx, is_server, kInsertParam);
  RowWriter tags(tx, is_server, kInsertTag);
  MetricsWriter metrics(tx, is_server);
  for (const BulkRun& one : runs) {
    auto found = places.find(one.run.info.run_id);
    if (found == places.end())
      return DataLoss(fmt::format("run {} is gone as soon as it came", one.run.info.run_id));
    const RunPlace& place = found->second;
    for (const Param& param : one.run.params)
      RETURN_IF_ERROR(params.Add({place.run_no, place.experiment_id, param.key, param.value}));
    for (const Tag& tag : one.run.tags)
      RETURN_IF_ERROR(tags.Add({place.run_no, place.experiment_id, tag.key, tag.value}));
    metrics.Add(place, one.run.metrics, one.points);
  }
  RETURN_IF_ERROR(params.Flush());
  RETURN_IF_ERROR(tags.Flush());
  RETURN_IF_ERROR(metrics.Write());
  for (const BulkRun& one : runs) RETURN_IF_ERROR(AddLinksIn(tx, one));
  return Ok();
}

Status AddPointsIn(Tx& tx, std::string_view run_id, std::span<const Metric> points) {
  ASSIGN_OR_RETURN(const bool is_server, internal::FindIsServer(tx));
  ASSIGN_OR_RETURN(const RunPlaces places, FindRunsIn(tx, {run_id}));
  if (places.empty()) return NotFound(fmt::format("Run with id={} not found", run_id));
  MetricsWriter metrics(tx, is_server);
  metrics.Add(places.begin()->second, {}, points);
  return metrics.Write();
}

Result<int64_t> AddLoggedModelsIn(Tx& tx, std::span<const LoggedModel> models) {
  int64_t left_out_count = 0;
  for (const LoggedModel& model : models) {
    ASSIGN_OR_RETURN(const int64_t experiment_id, internal::ParseExperimentId(model.experiment_id));
    RETURN_IF_ERROR(tx.Post(
        kInsertModel, {model.model_id, experiment_id, model.name, model.artifact_uri, model.status,
                       model.status_message, model.model_type, model.source_run_id, model.stage,
                       model.created_ms, model.updated_ms}));
    for (const Tag& tag : model.tags)
      RETURN_IF_ERROR(tx.Post(kInsertModelTag, {model.model_id, tag.key, tag.value}));
    for (const Param& param : model.params)
      RETURN_IF_ERROR(tx.Post(kInsertModelParam, {model.model_id, param.key, param.value}));
    std::vector<std::string_view> run_ids;
    for (const LoggedModelMetric& one : model.metrics) run_ids.push_back(one.run_id);
    if (run_ids.empty()) continue;
    ASSIGN_OR_RETURN(const RunPlaces places, FindRunsIn(tx, run_ids));
    for (const LoggedModelMetric& one : model.metrics) {
      if (!places.contains(one.run_id)) {
        ++left_out_count;
        continue;
      }
      RETURN_IF_ERROR(internal::InsertModelMetricIn(tx, one.run_id, one.metric));
    }
  }
  return left_out_count;
}

Result<ImportProgress> GetImportProgressIn(Reader& reader, std::string_view source,
                                           std::string_view phase) {
  ASSIGN_OR_RETURN(auto found, reader.FindOne(kGetProgress, {source, phase}, [](const Row& row) {
    return ImportProgress{.position = row.GetText(0), .is_done = row.GetBool(1)};
  }));
  return found.value_or(ImportProgress{});
}

Status SetImportProgressIn(Tx& tx, std::string_view source, std::string_view phase,
                           const ImportProgress& progress, int64_t now_ms) {
  return tx.Post(kSetProgress, {source, phase, progress.position, progress.is_done, now_ms});
}

}  // namespace sluice::tracking
