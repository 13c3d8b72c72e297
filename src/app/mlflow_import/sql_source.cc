// Runs come in batches in the order of their ids, each with all it logged. A batch ends where its
// histories get long; one run with a very long history comes alone, its points in pieces behind it.
// Every read is one statement with a limit, for PostgreSQL's results are in memory whole.
#include "app/mlflow_import/sql_source.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace sluice::app::mlflow_import {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using tracking::Metric;

constexpr int64_t kExperimentsPerPiece = 1000;
constexpr int64_t kDatasetsPerPiece = 100;  // a profile may have 16 MiB
constexpr int64_t kRunsPerPiece = 1000;
constexpr int64_t kPointsPerPiece = 100'000;

std::string TextOf(const Row& row, int column) { return row.FindText(column).value_or(""); }

int64_t NumberOf(const std::string& text) {
  int64_t number = std::numeric_limits<int64_t>::min();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Metric MetricFromRow(const Row& row, int first) {
  const bool is_nan = row.GetBool(first + 3);
  return {.key = row.GetText(first),
          .value = is_nan ? std::numeric_limits<double>::quiet_NaN() : row.GetDouble(first + 4),
          .timestamp_ms = row.FindInt64(first + 1).value_or(0),
          .step = row.GetInt64(first + 2)};
}

constexpr Query kFindColumn{
    "import.find_column", "SELECT 1 FROM pragma_table_info($1) WHERE name = $2",
    "SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() "
    "AND table_name = $1 AND column_name = $2"};

// Of a range of runs.
constexpr Query kReadParams{
    "import.params",
    "SELECT run_uuid, key, value FROM params WHERE run_uuid >= $1 AND run_uuid <= $2"};
constexpr Query kReadTags{
    "import.tags", "SELECT run_uuid, key, value FROM tags WHERE run_uuid >= $1 AND run_uuid <= $2"};
constexpr Query kReadLatest{"import.latest_metrics",
                            "SELECT run_uuid, key, timestamp, step, is_nan, value FROM "
                            "latest_metrics WHERE run_uuid >= $1 AND run_uuid <= $2"};
constexpr Query kCountPoints{"import.count_points",
                             "SELECT run_uuid, COUNT(*) FROM metrics WHERE run_uuid >= $1 "
                             "AND run_uuid <= $2 GROUP BY run_uuid"};
constexpr Query kReadPoints{"import.points",
                            "SELECT run_uuid, key, timestamp, step, is_nan, value FROM metrics "
                            "WHERE run_uuid >= $1 AND run_uuid <= $2"};
// Of one run.
constexpr Query kListKeys{"import.metric_keys",
                          "SELECT key, MIN(timestamp) FROM metrics WHERE run_uuid = $1 "
                          "GROUP BY key ORDER BY key"};
constexpr Query kReadSomePoints{
    "import.points_of_metric",
    "SELECT key, timestamp, step, is_nan, value FROM metrics WHERE key = $2 AND run_uuid = $1 "
    "AND timestamp >= $3 AND (timestamp > $3 OR step > $4 OR (step = $4 AND (value > $5 OR "
    "(value = $5 AND CAST(is_nan AS INTEGER) > $6)))) "
    "ORDER BY timestamp, step, value, CAST(is_nan AS INTEGER) LIMIT $7"};

constexpr Query kReadInputs{
    "import.dataset_links",
    "SELECT i.destination_id, i.input_uuid, d.experiment_id, d.name, d.digest FROM inputs i "
    "JOIN datasets d ON d.dataset_uuid = i.source_id WHERE i.destination_type = 'RUN' "
    "AND i.source_type = 'DATASET' AND i.destination_id >= $1 AND i.destination_id <= $2"};
constexpr Query kReadInputTags{
    "import.dataset_link_tags",
    "SELECT i.input_uuid, t.name, t.value FROM inputs i JOIN input_tags t "
    "ON t.input_uuid = i.input_uuid WHERE i.destination_type = 'RUN' "
    "AND i.source_type = 'DATASET' AND i.destination_id >= $1 AND i.destination_id <= $2"};
constexpr Query kReadModelLinks{
    "import.model_links",
    "SELECT source_id, source_type, destination_id, step FROM inputs WHERE "
    "source_type IN ('RUN_INPUT', 'RUN_OUTPUT') AND source_id >= $1 AND source_id <= $2"};

tracking::LifecycleStage StageOf(const Row& row, int column) {
  return row.FindText(column) == "deleted" ? tracking::LifecycleStage::kDeleted
                                           : tracking::LifecycleStage::kActive;
}

}  // namespace

/// Runs that stand beside each other in the order of ids.
struct SqlSource::RunRange {
  std::vector<SourceRun>& runs;
  std::unordered_map<std::string, SourceRun*> by_id = {};
  std::string first = {};
  std::string last = {};

  void Index() {
    by_id.clear();
    for (SourceRun& run : runs) by_id[run.bulk.run.info.run_id] = &run;
    first = runs.front().bulk.run.info.run_id;
    last = runs.back().bulk.run.info.run_id;
  }
  /// Null for a run of another workspace, or of no experiment.
  SourceRun* Find(const Row& row, int column = 0) {
    auto found = by_id.find(row.GetText(column));
    return found == by_id.end() ? nullptr : found->second;
  }
};

Result<std::unique_ptr<SqlSource>> SqlSource::Open(sql::Db& db, std::string name,
                                                   const WorkspaceChoice& workspaces) {
  std::unique_ptr<SqlSource> source(new SqlSource(db, std::move(name), workspaces));
  RETURN_IF_ERROR(source->LookAtSchema());
  RETURN_IF_ERROR(source->CheckWorkspaces());
  return source;
}

Result<bool> SqlSource::HasColumn(std::string_view table, std::string_view column) {
  return db_.Read([&](Reader& reader) -> Result<bool> {
    ASSIGN_OR_RETURN(auto found,
                     reader.FindOne(kFindColumn, {table, column}, [](const Row&) { return true; }));
    return found.has_value();
  });
}

Status SqlSource::LookAtSchema() {
  for (const char* table : {"experiments", "runs", "params", "tags", "metrics", "latest_metrics",
                            "registered_models", "model_versions"}) {
    ASSIGN_OR_RETURN(const bool is_there, db_.HasTable(table));
    if (is_there) continue;
    return InvalidArgument(
        fmt::format("{} is no database of MLflow 2 or 3: it has no table '{}'; for one of MLflow 1 "
                    "run `mlflow db upgrade` on a copy first",
                    name_, table));
  }
  ASSIGN_OR_RETURN(const bool has_nan, HasColumn("metrics", "is_nan"));
  if (!has_nan) {
    return FailedPrecondition(fmt::format(
        "the schema of {} is older than MLflow 2; run `mlflow db upgrade` on a copy first", name_));
  }
  ASSIGN_OR_RETURN(has_workspaces_, HasColumn("experiments", "workspace"));
  ASSIGN_OR_RETURN(has_datasets_, db_.HasTable("input_tags"));
  ASSIGN_OR_RETURN(has_input_step_, HasColumn("inputs", "step"));
  ASSIGN_OR_RETURN(has_logged_models_, db_.HasTable("logged_models"));
  ASSIGN_OR_RETURN(has_aliases_, db_.HasTable("registered_model_aliases"));
  ASSIGN_OR_RETURN(has_webhooks_, db_.HasTable("webhooks"));
  ASSIGN_OR_RETURN(has_deleted_time_, HasColumn("runs", "deleted_time"));
  ASSIGN_OR_RETURN(has_storage_location_, HasColumn("model_versions", "storage_location"));
  ASSIGN_OR_RETURN(has_experiment_times_, HasColumn("experiments", "creation_time"));
  return Ok();
}

Status SqlSource::CheckWorkspaces() {
  if (!has_workspaces_) {
    if (workspaces_.only == "default" || workspaces_.takes_all) return Ok();
    return NotFound(
        fmt::format("{} has no workspaces, so none called '{}'", name_, workspaces_.only));
  }
  static constexpr Query kList{"import.workspaces",
                               "SELECT workspace FROM experiments UNION "
                               "SELECT workspace FROM registered_models UNION "
                               "SELECT name FROM workspaces ORDER BY 1"};
  ASSIGN_OR_RETURN(auto names, db_.Read([](Reader& reader) {
    return reader.FindAll(kList, {}, [](const Row& row) { return row.GetText(0); });
  }));
  if (workspaces_.takes_all) return Ok();
  bool is_there = false;
  std::string others;
  for (const std::string& name : names) {
    if (name == workspaces_.only) {
      is_there = true;
    } else {
      others += (others.empty() ? "'" : ", '") + name + "'";
    }
  }
  if (!is_there) {
    return NotFound(fmt::format("{} has no workspace '{}'; it has {}", name_, workspaces_.only,
                                others.empty() ? "none" : others));
  }
  // Whoever names one knows of the others.
  if (workspaces_.only != "default" || others.empty()) return Ok();
  return FailedPrecondition(fmt::format(
      "{} has the workspaces {} beside 'default', and there is one workspace here. Import one with "
      "--workspace NAME, or all with --prefix-workspaces, which puts the workspace's name before "
      "the names of its experiments and models",
      name_, others));
}

std::string SqlSource::OfWorkspace(std::string_view alias) const {
  if (!has_workspaces_ || workspaces_.takes_all) return "CAST($1 AS TEXT) <> ''";
  return fmt::format("{}.workspace = $1", alias);
}

std::string SqlSource::NameIn(std::string_view alias) const {
  if (!has_workspaces_ || !workspaces_.takes_all) return fmt::format("{}.name", alias);
  return fmt::format(
      "CASE WHEN {0}.workspace = 'default' THEN {0}.name ELSE {0}.workspace || '.' || {0}.name END",
      alias);
}

Result<Piece<tracking::Experiment>> SqlSource::ReadExperiments(const std::string& after) {
  const std::string times =
      has_experiment_times_ ? "e.creation_time, e.last_update_time" : "NULL, NULL";
  const std::string text = fmt::format(
      "SELECT e.experiment_id, {}, e.artifact_location, e.lifecycle_stage, {} FROM experiments e "
      "WHERE {} AND e.experiment_id > CAST($2 AS BIGINT) ORDER BY e.experiment_id LIMIT $3",
      NameIn("e"), times, OfWorkspace("e"));
  static constexpr Query kTags{"import.experiment_tags",
                               "SELECT experiment_id, key, value FROM experiment_tags "
                               "WHERE experiment_id >= $1 AND experiment_id <= $2"};
  Piece<tracking::Experiment> piece;
  const Status read = db_.Read([&](Reader& reader) -> Status {
    ASSIGN_OR_RETURN(piece.rows,
                     reader.FindAll(Query{"import.experiments", text},
                                    {workspaces_.only, NumberOf(after), kExperimentsPerPiece},
                                    [](const Row& row) {
                                      return tracking::Experiment{
                                          .id = std::to_string(row.GetInt64(0)),
                                          .name = TextOf(row, 1),
                                          .artifact_location = TextOf(row, 2),
                                          .stage = StageOf(row, 3),
                                          .created_ms = row.FindInt64(4).value_or(0),
                                          .updated_ms = row.FindInt64(5).value_or(0),
                                          .tags = {}};
                                    }));
    if (piece.rows.empty()) return Ok();
    std::unordered_map<int64_t, tracking::Experiment*> by_id;
    for (tracking::Experiment& experiment : piece.rows)
      by_id[NumberOf(experiment.id)] = &experiment;
    return reader.ForEach(kTags, {NumberOf(piece.rows.front().id), NumberOf(piece.rows.back().id)},
                          [&](const Row& row) -> Status {
                            auto found = by_id.find(row.GetInt64(0));
                            if (found != by_id.end())
                              found->second->tags.push_back({row.GetText(1), TextOf(row, 2)});
                            return Ok();
                          });
  });
  RETURN_IF_ERROR(read);
  piece.is_last = std::ssize(piece.rows) < kExperimentsPerPiece;
  piece.position = piece.rows.empty() ? after : piece.rows.back().id;
  return piece;
}

Result<Piece<tracking::BulkDataset>> SqlSource::ReadDatasets(const std::string& after) {
  Piece<tracking::BulkDataset> piece{.rows = {}, .position = after, .is_last = true};
  if (!has_datasets_) return piece;
  const std::string text = fmt::format(
      "SELECT d.dataset_uuid, d.experiment_id, d.name, d.digest, d.dataset_source_type, "
      "d.dataset_source, d.dataset_schema, d.dataset_profile FROM datasets d "
      "JOIN experiments e ON e.experiment_id = d.experiment_id "
      "WHERE {} AND d.dataset_uuid > $2 ORDER BY d.dataset_uuid LIMIT $3",
      OfWorkspace("e"));
  const Status read = db_.Read([&](Reader& reader) {
    return reader.ForEach(Query{"import.datasets", text},
                          {workspaces_.only, after, kDatasetsPerPiece},
                          [&](const Row& row) -> Status {
                            piece.position = row.GetText(0);
                            piece.rows.push_back({.experiment_id = row.GetInt64(1),
                                                  .dataset = {.name = row.GetText(2),
                                                              .digest = row.GetText(3),
                                                              .source_type = row.GetText(4),
                                                              .source = row.GetText(5),
                                                              .schema = TextOf(row, 6),
                                                              .profile = TextOf(row, 7)}});
                            return Ok();
                          });
  });
  RETURN_IF_ERROR(read);
  piece.is_last = std::ssize(piece.rows) < kDatasetsPerPiece;
  return piece;
}

Result<Piece<SourceRun>> SqlSource::ReadRuns(const std::string& after, RunParts parts) {
  const std::string text = fmt::format(
      "SELECT r.run_uuid, r.experiment_id, r.name, r.user_id, r.status, r.start_time, r.end_time, "
      "r.artifact_uri, r.lifecycle_stage, {} FROM runs r JOIN experiments e "
      "ON e.experiment_id = r.experiment_id WHERE {} AND r.run_uuid > $2 ORDER BY r.run_uuid "
      "LIMIT $3",
      has_deleted_time_ ? "r.deleted_time" : "NULL", OfWorkspace("e"));
  Piece<SourceRun> piece;
  const Status read = db_.Read([&](Reader& reader) -> Status {
    ASSIGN_OR_RETURN(
        piece.rows,
        reader.FindAll(
            Query{"import.runs", text}, {workspaces_.only, after, kRunsPerPiece},
            [](const Row& row) {
              SourceRun run;
              tracking::RunInfo& info = run.bulk.run.info;
              info.run_id = row.GetText(0);
              info.experiment_id = std::to_string(row.GetInt64(1));
              info.name = TextOf(row, 2);
              info.user_id = TextOf(row, 3);
              info.status =
                  tracking::FindRunStatus(TextOf(row, 4)).value_or(tracking::RunStatus::kRunning);
              info.start_ms = row.FindInt64(5).value_or(0);
              info.end_ms = row.FindInt64(6);
              info.artifact_uri = TextOf(row, 7);
              info.stage = StageOf(row, 8);
              if (info.stage == tracking::LifecycleStage::kDeleted) {
                run.bulk.deleted_ms =
                    row.FindInt64(9).value_or(info.end_ms.value_or(info.start_ms));
              }
              return run;
            }));
    piece.is_last = std::ssize(piece.rows) < kRunsPerPiece;
    if (piece.rows.empty()) return Ok();

    // As many as have short histories together, at least one.
    RunRange range{.runs = piece.rows};
    range.Index();
    std::unordered_map<std::string, int64_t> point_counts;
    RETURN_IF_ERROR(
        reader.ForEach(kCountPoints, {range.first, range.last}, [&](const Row& row) -> Status {
          point_counts[row.GetText(0)] = row.GetInt64(1);
          return Ok();
        }));
    int64_t point_count = 0;
    for (size_t i = 0; i < piece.rows.size(); ++i) {
      point_count += point_counts[piece.rows[i].bulk.run.info.run_id];
      if (point_count <= kPointsPerPiece) continue;
      piece.rows[0].is_long = i == 0;
      piece.rows.resize(std::max(i, size_t{1}));
      piece.is_last = false;
      break;
    }
    range.Index();
    RETURN_IF_ERROR(LoadPoints(reader, range));
    if (parts == RunParts::kPoints) return Ok();
    RETURN_IF_ERROR(LoadTexts(reader, range));
    return LoadLinks(reader, range);
  });
  RETURN_IF_ERROR(read);
  piece.position = piece.rows.empty() ? after : piece.rows.back().bulk.run.info.run_id;
  return piece;
}

Status SqlSource::LoadTexts(Reader& reader, RunRange& range) {
  RETURN_IF_ERROR(
      reader.ForEach(kReadParams, {range.first, range.last}, [&](const Row& row) -> Status {
        if (SourceRun* run = range.Find(row))
          run->bulk.run.params.push_back({row.GetText(1), TextOf(row, 2)});
        return Ok();
      }));
  RETURN_IF_ERROR(
      reader.ForEach(kReadTags, {range.first, range.last}, [&](const Row& row) -> Status {
        if (SourceRun* run = range.Find(row))
          run->bulk.run.tags.push_back({row.GetText(1), TextOf(row, 2)});
        return Ok();
      }));
  RETURN_IF_ERROR(
      reader.ForEach(kReadLatest, {range.first, range.last}, [&](const Row& row) -> Status {
        if (SourceRun* run = range.Find(row))
          run->bulk.run.metrics.push_back(MetricFromRow(row, 1));
        return Ok();
      }));
  // Before MLflow 1.30 the tag alone had the name.
  for (SourceRun& run : range.runs) {
    tracking::RunInfo& info = run.bulk.run.info;
    if (info.name.empty()) info.name = run.bulk.run.FindTag(tracking::kRunNameTag).value_or("");
  }
  return Ok();
}

Status SqlSource::LoadPoints(Reader& reader, RunRange& range) {
  if (range.runs.front().is_long) return Ok();
  return reader.ForEach(kReadPoints, {range.first, range.last}, [&](const Row& row) -> Status {
    if (SourceRun* run = range.Find(row)) run->bulk.points.push_back(MetricFromRow(row, 1));
    return Ok();
  });
}

Status SqlSource::LoadLinks(Reader& reader, RunRange& range) {
  if (!has_datasets_) return Ok();
  struct Input {
    SourceRun* run;
    size_t index;
  };
  std::unordered_map<std::string, Input> inputs;
  RETURN_IF_ERROR(
      reader.ForEach(kReadInputs, {range.first, range.last}, [&](const Row& row) -> Status {
        SourceRun* run = range.Find(row);
        if (run == nullptr) return Ok();
        inputs[row.GetText(1)] = {run, run->bulk.inputs.size()};
        run->bulk.inputs.push_back({.run_id = run->bulk.run.info.run_id,
                                    .experiment_id = row.GetInt64(2),
                                    .name = row.GetText(3),
                                    .digest = row.GetText(4),
                                    .tags = {}});
        return Ok();
      }));
  RETURN_IF_ERROR(
      reader.ForEach(kReadInputTags, {range.first, range.last}, [&](const Row& row) -> Status {
        auto found = inputs.find(row.GetText(0));
        if (found == inputs.end()) return Ok();
        found->second.run->bulk.inputs[found->second.index].tags.push_back(
            {row.GetText(1), TextOf(row, 2)});
        return Ok();
      }));
  if (!has_input_step_) return Ok();
  return reader.ForEach(kReadModelLinks, {range.first, range.last}, [&](const Row& row) -> Status {
    SourceRun* run = range.Find(row);
    if (run == nullptr) return Ok();
    if (row.GetTextView(1) == "RUN_INPUT") {
      run->bulk.run.model_inputs.push_back(row.GetText(2));
    } else {
      run->bulk.run.model_outputs.push_back({.model_id = row.GetText(2), .step = row.GetInt64(3)});
    }
    return Ok();
  });
}

Status SqlSource::ReadPoints(
    const std::string& run_id,
    const std::function<Status(std::span<const tracking::Metric>)>& visit) {
  struct Key {
    std::string key;
    int64_t first_ms;
  };
  ASSIGN_OR_RETURN(auto keys, db_.Read([&](Reader& reader) {
    return reader.FindAll(kListKeys, {run_id}, [](const Row& row) {
      return Key{row.GetText(0), row.GetInt64(1)};
    });
  }));
  for (const Key& key : keys) {
    int64_t timestamp_ms = key.first_ms;
    int64_t step = std::numeric_limits<int64_t>::min();
    double value = -std::numeric_limits<double>::infinity();
    int64_t is_nan = 0;
    for (;;) {
      ASSIGN_OR_RETURN(auto points, db_.Read([&](Reader& reader) {
        return reader.FindAll(kReadSomePoints,
                              {run_id, key.key, timestamp_ms, step, value, is_nan, kPointsPerPiece},
                              [](const Row& row) { return MetricFromRow(row, 0); });
      }));
      if (points.empty()) break;
      RETURN_IF_ERROR(visit(points));
      timestamp_ms = points.back().timestamp_ms;
      step = points.back().step;
      is_nan = std::isnan(points.back().value) ? 1 : 0;
      value = is_nan != 0 ? 0 : points.back().value;
      if (std::ssize(points) < kPointsPerPiece) break;
    }
  }
  return Ok();
}

}  // namespace sluice::app::mlflow_import
