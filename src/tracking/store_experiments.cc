#include <fmt/format.h>

#include "io/fs.h"
#include "sluice_tracking_embedded.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/sql_store.h"

namespace sluice::tracking {
namespace internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kHasAny{"tracking.has_any_experiment", "SELECT 1 FROM experiments LIMIT 1"};
// Ids of purged experiments are never given again.
constexpr Query kMaxId{"tracking.max_experiment_id",
                       "SELECT MAX(id) FROM (SELECT MAX(experiment_id) AS id FROM experiments "
                       "UNION ALL SELECT MAX(experiment_id) FROM purged_experiments) AS ids"};
constexpr Query kInsert{
    "tracking.create_experiment",
    "INSERT INTO experiments (experiment_id, name, artifact_location, stage, created_ms, "
    "updated_ms) VALUES ($1, $2, $3, 0, $4, $4)"};
constexpr Query kGet{"tracking.get_experiment",
                     "SELECT experiment_id, name, artifact_location, stage, created_ms, updated_ms "
                     "FROM experiments WHERE experiment_id = $1 AND stage < 2"};
constexpr Query kFindByName{
    "tracking.find_experiment_by_name",
    "SELECT experiment_id, name, artifact_location, stage, created_ms, updated_ms "
    "FROM experiments WHERE name = $1"};
constexpr Query kList{
    "tracking.list_experiments",
    "SELECT experiment_id, name, artifact_location, stage, created_ms, updated_ms "
    "FROM experiments WHERE (stage = $1 OR $2 = 1) AND stage < 2 ORDER BY created_ms DESC, "
    "experiment_id DESC"};
constexpr Query kListTags{
    "tracking.list_experiment_tags",
    "SELECT key, value FROM experiment_tags WHERE experiment_id = $1 ORDER BY key"};
constexpr Query kRename{
    "tracking.rename_experiment",
    "UPDATE experiments SET name = $2, updated_ms = $3 WHERE experiment_id = $1"};
constexpr Query kSetStage{
    "tracking.set_experiment_stage",
    "UPDATE experiments SET stage = $2, updated_ms = $3 WHERE experiment_id = $1"};
// Of all its runs, as MLflow does: what was deleted before is deleted anew.
constexpr Query kDeleteRuns{
    "tracking.delete_runs_of_experiment",
    "UPDATE runs SET stage = 1, deleted_ms = $2 WHERE experiment_id = $1 AND stage < 2"};
constexpr Query kRestoreRuns{
    "tracking.restore_runs_of_experiment",
    "UPDATE runs SET stage = 0, deleted_ms = NULL WHERE experiment_id = $1 AND stage = 1"};
constexpr Query kSetTag{
    "tracking.set_experiment_tag",
    "INSERT INTO experiment_tags (experiment_id, key, value) VALUES ($1, $2, $3) "
    "ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value"};
constexpr Query kDeleteTag{"tracking.delete_experiment_tag",
                           "DELETE FROM experiment_tags WHERE experiment_id = $1 AND key = $2"};

Experiment FromRow(const Row& row) {
  return {.id = std::to_string(row.GetInt64(0)),
          .name = row.GetText(1),
          .artifact_location = row.GetText(2),
          .stage = row.GetInt64(3) == 0 ? LifecycleStage::kActive : LifecycleStage::kDeleted,
          .created_ms = row.GetInt64(4),
          .updated_ms = row.GetInt64(5),
          .tags = {}};
}

Tag TagFromRow(const Row& row) { return {row.GetText(0), row.GetText(1)}; }

/// Also for one that is not in the stage it must be in, as MLflow.
Error NoExperiment(int64_t id) {
  return NotFound(fmt::format("No Experiment with id={} exists", id));
}

Status LoadTags(Reader& reader, Experiment& experiment) {
  ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(experiment.id));
  ASSIGN_OR_RETURN(experiment.tags, reader.FindAll(kListTags, {id}, TagFromRow));
  return Ok();
}

Status CheckExperimentTag(const Tag& tag) {
  RETURN_IF_ERROR(CheckTag({}, tag));
  return CheckLength("value", tag.value, Limits::kExperimentTagValueLength);
}

/// A path against the current directory: clients, which read it, are elsewhere.
Result<std::string> AbsoluteLocation(const std::string& location) {
  const bool has_file_scheme = location.starts_with("file:");
  std::string_view path = std::string_view(location).substr(has_file_scheme ? 5 : 0);
  const bool is_path = has_file_scheme || path.find(':') >= path.find('/');
  if (path.empty() || path.front() == '/' || !is_path) return location;
  ASSIGN_OR_RETURN(const std::string absolute, io::AbsolutePath(path));
  return has_file_scheme ? "file://" + absolute : absolute;
}

Result<int64_t> Insert(Tx& tx, const NewExperiment& experiment, const StoreOptions& options,
                       int64_t now_ms) {
  ASSIGN_OR_RETURN(int64_t id, NextNumber(tx, kMaxId, 0));
  std::string location = experiment.artifact_location.empty()
                             ? JoinUri(options.artifact_root, std::to_string(id))
                             : experiment.artifact_location;
  Result<int64_t> inserted = tx.Execute(kInsert, {id, experiment.name, location, now_ms});
  if (!inserted.ok()) {
    if (inserted.error().code() != ErrorCode::kAlreadyExists) return inserted;
    return AlreadyExists(
        fmt::format("Experiment(name={}) already exists. If it was deleted, restore it or use "
                    "another name.",
                    experiment.name));
  }
  for (const Tag& tag : experiment.tags)
    RETURN_IF_ERROR(tx.Execute(kSetTag, {id, tag.key, tag.value}));
  return id;
}

}  // namespace

Result<int64_t> NextNumber(Reader& reader, const Query& query, int64_t first) {
  ASSIGN_OR_RETURN(auto greatest,
                   reader.FindOne(query, {}, [](const Row& row) { return row.FindInt64(0); }));
  return greatest && *greatest ? **greatest + 1 : first;
}

Result<Experiment> GetExperimentIn(Reader& reader, int64_t experiment_id) {
  ASSIGN_OR_RETURN(auto experiment, reader.FindOne(kGet, {experiment_id}, FromRow));
  if (!experiment) return NoExperiment(experiment_id);
  return *std::move(experiment);
}

Result<Experiment> GetActiveExperimentIn(Reader& reader, int64_t experiment_id) {
  ASSIGN_OR_RETURN(Experiment experiment, GetExperimentIn(reader, experiment_id));
  if (experiment.stage == LifecycleStage::kActive) return experiment;
  return FailedPrecondition(fmt::format(
      "The experiment {} must be in the 'active' state. Current state is deleted.", experiment_id));
}

Status SqlStore::Open() {
  ASSIGN_OR_RETURN(is_server_, db_.Read([](Reader& reader) { return FindIsServer(reader); }));
  return MakeDefaultExperiment();
}

Status SqlStore::MakeDefaultExperiment() {
  auto has_any = [](Reader& reader) {
    return reader.FindOne(kHasAny, {}, [](const Row&) { return true; });
  };
  ASSIGN_OR_RETURN(auto found, db_.Read(has_any));
  if (found) return Ok();
  return db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(auto found_now, has_any(tx));
    if (found_now) return Ok();
    RETURN_IF_ERROR(Insert(tx, {.name = "Default", .artifact_location = {}, .tags = {}}, options_,
                           clock_.NowMs()));
    return Ok();
  });
}

Result<std::string> SqlStore::CreateExperiment(const NewExperiment& experiment) {
  RETURN_IF_ERROR(CheckExperimentName(experiment.name));
  RETURN_IF_ERROR(CheckArtifactLocation(experiment.artifact_location));
  for (const Tag& tag : experiment.tags) RETURN_IF_ERROR(CheckExperimentTag(tag));
  NewExperiment resolved = experiment;
  ASSIGN_OR_RETURN(resolved.artifact_location, AbsoluteLocation(experiment.artifact_location));
  ASSIGN_OR_RETURN(int64_t id, db_.Write([&](Tx& tx) {
    return Insert(tx, resolved, options_, clock_.NowMs());
  }));
  return std::to_string(id);
}

Result<Experiment> SqlStore::GetExperiment(std::string_view experiment_id) {
  ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(experiment_id));
  return db_.Read([&](Reader& reader) -> Result<Experiment> {
    ASSIGN_OR_RETURN(Experiment experiment, GetExperimentIn(reader, id));
    RETURN_IF_ERROR(LoadTags(reader, experiment));
    return experiment;
  });
}

Result<std::optional<Experiment>> SqlStore::FindExperimentByName(std::string_view name) {
  return db_.Read([&](Reader& reader) -> Result<std::optional<Experiment>> {
    ASSIGN_OR_RETURN(auto experiment, reader.FindOne(kFindByName, {name}, FromRow));
    if (experiment) RETURN_IF_ERROR(LoadTags(reader, *experiment));
    return experiment;
  });
}

Result<std::vector<Experiment>> SqlStore::ListExperiments(ViewType view) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<Experiment>> {
    ASSIGN_OR_RETURN(
        auto experiments,
        reader.FindAll(kList, {view == ViewType::kDeletedOnly, view == ViewType::kAll}, FromRow));
    for (Experiment& experiment : experiments) RETURN_IF_ERROR(LoadTags(reader, experiment));
    return experiments;
  });
}

Status SqlStore::RenameExperiment(std::string_view experiment_id, std::string_view name) {
  ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(experiment_id));
  RETURN_IF_ERROR(CheckExperimentName(name));
  return db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(Experiment experiment, GetExperimentIn(tx, id));
    if (experiment.stage != LifecycleStage::kActive)
      return FailedPrecondition("Cannot rename a non-active experiment.");
    Result<int64_t> renamed = tx.Execute(kRename, {id, name, clock_.NowMs()});
    if (!renamed.ok() && renamed.error().code() == ErrorCode::kAlreadyExists) {
      return AlreadyExists(fmt::format("Experiment(name={}) already exists.", name));
    }
    RETURN_IF_ERROR(std::move(renamed));
    return Ok();
  });
}

Status SqlStore::DeleteExperiment(std::string_view experiment_id) {
  ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(experiment_id));
  return db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(Experiment experiment, GetExperimentIn(tx, id));
    if (experiment.stage == LifecycleStage::kDeleted) {
      return NoExperiment(id);
    }
    int64_t now_ms = clock_.NowMs();
    RETURN_IF_ERROR(tx.Execute(kSetStage, {id, LifecycleStage::kDeleted, now_ms}));
    RETURN_IF_ERROR(tx.Execute(kDeleteRuns, {id, now_ms}));
    return Ok();
  });
}

Status SqlStore::RestoreExperiment(std::string_view experiment_id) {
  ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(experiment_id));
  return db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(Experiment experiment, GetExperimentIn(tx, id));
    if (experiment.stage == LifecycleStage::kActive) {
      return NoExperiment(id);
    }
    RETURN_IF_ERROR(tx.Execute(kSetStage, {id, LifecycleStage::kActive, clock_.NowMs()}));
    RETURN_IF_ERROR(tx.Execute(kRestoreRuns, {id}));
    return Ok();
  });
}

Status SqlStore::SetExperimentTag(std::string_view experiment_id, const Tag& tag) {
  ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(experiment_id));
  RETURN_IF_ERROR(CheckExperimentTag(tag));
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetActiveExperimentIn(tx, id));
    RETURN_IF_ERROR(tx.Execute(kSetTag, {id, tag.key, tag.value}));
    return Ok();
  });
}

Status SqlStore::DeleteExperimentTag(std::string_view experiment_id, std::string_view key) {
  ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(experiment_id));
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetActiveExperimentIn(tx, id));
    ASSIGN_OR_RETURN(int64_t count, tx.Execute(kDeleteTag, {id, key}));
    if (count == 0)
      return NotFound(fmt::format("No tag with name: {} in experiment with id {}", key, id));
    return Ok();
  });
}

}  // namespace internal

std::vector<sql::Migration> Migrations() {
  return sql::MigrationsFromFiles(embedded::EmbeddedFiles());
}

Result<std::unique_ptr<Store>> OpenStore(sql::Db& db, const StoreOptions& options, Clock& clock) {
  auto store = std::make_unique<internal::SqlStore>(db, options, clock);
  RETURN_IF_ERROR(store->Open());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace sluice::tracking
