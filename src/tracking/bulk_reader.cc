#include "tracking/bulk_reader.h"

#include <fmt/format.h>

#include <limits>
#include <unordered_map>

#include "tracking/internal/logged_model_rows.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/run_rows.h"

namespace sluice::tracking {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;

constexpr Query kListNames{"tracking.bulk_experiment_names",
                           "SELECT experiment_id, name FROM experiments"};
// The points lead: their key is the order.
constexpr Query kReadPoints{
    "tracking.bulk_read_points",
    "SELECT r.experiment_id, r.run_id, s.key, p.timestamp_ms, p.step, p.is_nan, p.value, "
    "p.series_id FROM metric_points p CROSS JOIN metric_series s CROSS JOIN runs r "
    "WHERE s.series_id = p.series_id AND r.run_no = s.run_no AND r.stage < 2 AND "
    "(p.series_id, p.timestamp_ms, p.step, p.is_nan, p.value) > ($1, $2, $3, $4, $5) "
    "ORDER BY p.series_id, p.timestamp_ms, p.step, p.is_nan, p.value LIMIT $6"};
constexpr Query kReadExperiments{
    "tracking.bulk_read_experiments",
    "SELECT experiment_id, name, artifact_location, stage, created_ms, updated_ms "
    "FROM experiments WHERE experiment_id > $1 AND stage < 2 ORDER BY experiment_id LIMIT $2"};
constexpr Query kReadExperimentTags{
    "tracking.bulk_read_experiment_tags",
    "SELECT experiment_id, key, value FROM experiment_tags WHERE experiment_id >= $1 "
    "AND experiment_id <= $2 ORDER BY experiment_id, key"};
constexpr Query kReadDatasets{
    "tracking.bulk_read_datasets",
    "SELECT dataset_id, experiment_id, name, digest, source_type, source, schema_json, "
    "profile_json FROM datasets WHERE dataset_id > $1 ORDER BY dataset_id LIMIT $2"};
constexpr Query kReadRunNumbers{"tracking.bulk_read_runs",
                                "SELECT run_no, deleted_ms FROM runs WHERE run_no > $1 "
                                "AND stage < 2 ORDER BY run_no LIMIT $2"};
constexpr Query kReadLinks{
    "tracking.bulk_read_links",
    "SELECT l.run_id, l.dataset_id, d.experiment_id, d.name, d.digest FROM runs r "
    "JOIN dataset_links l ON l.run_id = r.run_id JOIN datasets d ON d.dataset_id = l.dataset_id "
    "WHERE r.run_no >= $1 AND r.run_no <= $2 AND l.direction = 0 ORDER BY l.run_id, l.dataset_id"};
constexpr Query kReadLinkTags{
    "tracking.bulk_read_link_tags",
    "SELECT t.run_id, t.dataset_id, t.key, t.value FROM runs r JOIN dataset_link_tags t "
    "ON t.run_id = r.run_id WHERE r.run_no >= $1 AND r.run_no <= $2 AND t.direction = 0 "
    "ORDER BY t.run_id, t.dataset_id, t.key"};

int64_t NumberFromRow(const Row& row) { return row.GetInt64(0); }

}  // namespace

Result<BulkCounts> CountIn(Reader& reader, std::span<const int64_t> experiment_ids) {
  const std::string ids = internal::NumberList(experiment_ids);
  BulkCounts counts;
  struct Counted {
    int64_t BulkCounts::*count;
    std::string_view from;
    std::string_view experiment = "experiment_id";
    std::string_view condition = "";
  };
  constexpr std::string_view kRuns = "runs r";
  const Counted counted[] = {
      {&BulkCounts::experiments, "experiments", "experiment_id", " AND stage < 2"},
      {&BulkCounts::experiment_tags, "experiment_tags"},
      {&BulkCounts::runs, kRuns, "experiment_id", " AND stage < 2"},
      {&BulkCounts::deleted_runs, kRuns, "experiment_id", " AND stage = 1"},
      {&BulkCounts::params, "params"},
      {&BulkCounts::tags, "tags"},
      {&BulkCounts::latest_metrics, "metric_series"},
      {&BulkCounts::points, "metric_series s JOIN metric_points p ON p.series_id = s.series_id"},
      {&BulkCounts::datasets, "datasets"},
      {&BulkCounts::dataset_links, "runs r JOIN dataset_links l ON l.run_id = r.run_id",
       "experiment_id", " AND l.direction = 0"},
      {&BulkCounts::dataset_link_tags, "runs r JOIN dataset_link_tags l ON l.run_id = r.run_id",
       "experiment_id", " AND l.direction = 0"},
      {&BulkCounts::dataset_outputs, "runs r JOIN dataset_links l ON l.run_id = r.run_id",
       "experiment_id", " AND l.direction = 1"},
      {&BulkCounts::model_links, "runs r JOIN model_links l ON l.run_id = r.run_id"},
      {&BulkCounts::logged_models, "logged_models", "experiment_id", " AND stage < 2"},
      {&BulkCounts::logged_model_params,
       "logged_models m JOIN logged_model_params x ON x.model_id = m.model_id"},
      {&BulkCounts::logged_model_tags,
       "logged_models m JOIN logged_model_tags x ON x.model_id = m.model_id"},
      {&BulkCounts::logged_model_metrics,
       "logged_models m JOIN logged_model_metrics x ON x.model_id = m.model_id"},
  };
  for (const Counted& one : counted) {
    const std::string sqlite =
        fmt::format("SELECT COUNT(*) FROM {} WHERE {} IN (SELECT value FROM json_each($1)){}",
                    one.from, one.experiment, one.condition);
    const std::string postgres = fmt::format(
        "SELECT COUNT(*) FROM {} WHERE {} = ANY(CAST(translate($1, '[]', '{{}}') AS BIGINT[])){}",
        one.from, one.experiment, one.condition);
    ASSIGN_OR_RETURN(auto count, reader.FindOne(Query{"tracking.bulk_count", sqlite, postgres},
                                                {ids}, NumberFromRow));
    counts.*one.count = count.value_or(0);
  }
  return counts;
}

Result<std::map<int64_t, std::string>> ListExperimentNamesIn(Reader& reader) {
  std::map<int64_t, std::string> names;
  RETURN_IF_ERROR(reader.ForEach(kListNames, {}, [&](const Row& row) -> Status {
    names[row.GetInt64(0)] = row.GetText(1);
    return Ok();
  }));
  return names;
}

Result<std::vector<BulkPoint>> ReadPointsIn(Reader& reader, PointPosition& position,
                                            int64_t max_count) {
  PointPosition end = position;
  ASSIGN_OR_RETURN(
      auto points,
      reader.FindAll(kReadPoints,
                     {position.series_id, position.timestamp_ms, position.step, position.is_nan,
                      position.value, max_count},
                     [&](const Row& row) {
                       const bool is_nan = row.GetBool(5);
                       end = {.series_id = row.GetInt64(7),
                              .timestamp_ms = row.GetInt64(3),
                              .step = row.GetInt64(4),
                              .is_nan = is_nan,
                              .value = row.GetDouble(6)};
                       return BulkPoint{
                           .experiment_id = row.GetInt64(0),
                           .run_id = row.GetText(1),
                           .metric = {.key = row.GetText(2),
                                      .value = is_nan ? std::numeric_limits<double>::quiet_NaN()
                                                      : row.GetDouble(6),
                                      .timestamp_ms = row.GetInt64(3),
                                      .step = row.GetInt64(4)}};
                     }));
  position = end;
  return points;
}

Result<std::vector<Experiment>> ReadExperimentsIn(Reader& reader, int64_t after_id,
                                                  int64_t max_count) {
  std::unordered_map<int64_t, size_t> by_id;
  ASSIGN_OR_RETURN(auto experiments,
                   reader.FindAll(kReadExperiments, {after_id, max_count}, [&](const Row& row) {
                     by_id.emplace(row.GetInt64(0), by_id.size());
                     return Experiment{.id = std::to_string(row.GetInt64(0)),
                                       .name = row.GetText(1),
                                       .artifact_location = row.GetText(2),
                                       .stage = static_cast<LifecycleStage>(row.GetInt64(3)),
                                       .created_ms = row.GetInt64(4),
                                       .updated_ms = row.GetInt64(5),
                                       .tags = {}};
                   }));
  if (experiments.empty()) return experiments;
  ASSIGN_OR_RETURN(const int64_t first, internal::ParseExperimentId(experiments.front().id));
  ASSIGN_OR_RETURN(const int64_t last, internal::ParseExperimentId(experiments.back().id));
  RETURN_IF_ERROR(reader.ForEach(kReadExperimentTags, {first, last}, [&](const Row& row) -> Status {
    auto found = by_id.find(row.GetInt64(0));
    if (found != by_id.end())
      experiments[found->second].tags.push_back({row.GetText(1), row.GetText(2)});
    return Ok();
  }));
  return experiments;
}

Result<std::vector<NumberedDataset>> ReadDatasetsIn(Reader& reader, int64_t after_number,
                                                    int64_t max_count) {
  return reader.FindAll(kReadDatasets, {after_number, max_count}, [](const Row& row) {
    return NumberedDataset{.number = row.GetInt64(0),
                           .bulk = {.experiment_id = row.GetInt64(1),
                                    .dataset = {.name = row.GetText(2),
                                                .digest = row.GetText(3),
                                                .source_type = row.GetText(4),
                                                .source = row.GetText(5),
                                                .schema = row.GetText(6),
                                                .profile = row.GetText(7)}}};
  });
}

Result<std::vector<NumberedRun>> ReadRunsIn(Reader& reader, int64_t after_run_no,
                                            int64_t max_count) {
  std::vector<int64_t> numbers;
  std::unordered_map<int64_t, std::optional<int64_t>> deleted_ms;
  RETURN_IF_ERROR(
      reader.ForEach(kReadRunNumbers, {after_run_no, max_count}, [&](const Row& row) -> Status {
        numbers.push_back(row.GetInt64(0));
        deleted_ms[row.GetInt64(0)] = row.FindInt64(1);
        return Ok();
      }));
  std::vector<NumberedRun> runs;
  if (numbers.empty()) return runs;
  ASSIGN_OR_RETURN(std::vector<internal::RunRow> rows, internal::ListRunRows(reader, numbers));
  for (const internal::RunRow& row : rows) {
    runs.push_back({.run_no = row.run_no, .bulk = {}, .dataset_numbers = {}});
    runs.back().bulk.deleted_ms = deleted_ms[row.run_no];
  }
  ASSIGN_OR_RETURN(std::vector<Run> loaded, internal::LoadRuns(reader, std::move(rows)));
  std::unordered_map<std::string, size_t> by_id;
  for (size_t i = 0; i < loaded.size(); ++i) {
    by_id[loaded[i].info.run_id] = i;
    runs[i].bulk.run = std::move(loaded[i]);
  }
  const int64_t first = numbers.front();
  const int64_t last = numbers.back();
  RETURN_IF_ERROR(reader.ForEach(kReadLinks, {first, last}, [&](const Row& row) -> Status {
    auto found = by_id.find(row.GetText(0));
    if (found == by_id.end()) return Ok();
    NumberedRun& run = runs[found->second];
    run.dataset_numbers.push_back(row.GetInt64(1));
    run.bulk.inputs.push_back({.run_id = row.GetText(0),
                               .experiment_id = row.GetInt64(2),
                               .name = row.GetText(3),
                               .digest = row.GetText(4),
                               .tags = {}});
    return Ok();
  }));
  RETURN_IF_ERROR(reader.ForEach(kReadLinkTags, {first, last}, [&](const Row& row) -> Status {
    auto found = by_id.find(row.GetText(0));
    if (found == by_id.end()) return Ok();
    NumberedRun& run = runs[found->second];
    for (size_t i = 0; i < run.dataset_numbers.size(); ++i) {
      if (run.dataset_numbers[i] == row.GetInt64(1))
        run.bulk.inputs[i].tags.push_back({row.GetText(2), row.GetText(3)});
    }
    return Ok();
  }));
  return runs;
}

Result<std::vector<LoggedModel>> ReadLoggedModelsIn(Reader& reader, std::string_view after_id,
                                                    int64_t max_count) {
  static const std::string text = fmt::format(
      "SELECT {} FROM logged_models m WHERE m.model_id > $1 AND m.stage < 2 ORDER BY m.model_id "
      "LIMIT $2",
      internal::kLoggedModelColumns);
  ASSIGN_OR_RETURN(auto models,
                   reader.FindAll(Query{"tracking.bulk_read_models", text}, {after_id, max_count},
                                  internal::LoggedModelFromRow));
  RETURN_IF_ERROR(internal::LoadLoggedModelData(reader, models));
  return models;
}

}  // namespace sluice::tracking
