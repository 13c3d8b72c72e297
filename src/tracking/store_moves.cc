// Many runs at once: deleting old ones, moving to another experiment.
#include <fmt/format.h>

#include "tracking/internal/rules.h"
#include "tracking/internal/sql_store.h"

namespace sluice::tracking::internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kDeleteBefore{
    "tracking.delete_runs_before",
    "UPDATE runs SET stage = 1, deleted_ms = $4 WHERE run_id IN ("
    "SELECT run_id FROM runs WHERE experiment_id = $1 AND start_ms <= $2 AND stage = 0 "
    "ORDER BY start_ms, run_id LIMIT $3)"};
constexpr Query kMoveRun{"tracking.move_run",
                         "UPDATE runs SET experiment_id = $2 WHERE run_id = $1"};
constexpr Query kMoveModels{
    "tracking.move_models_of_run",
    "UPDATE logged_models SET experiment_id = $2 WHERE source_run_id = $1 AND experiment_id = $3"};
constexpr Query kListLinks{
    "tracking.list_links_to_move",
    "SELECT l.direction, l.dataset_id, d.name, d.digest, d.source_type, d.source, d.schema_json, "
    "d.profile_json FROM dataset_links l JOIN datasets d ON d.dataset_id = l.dataset_id "
    "WHERE l.run_id = $1 ORDER BY l.direction, l.dataset_id"};
constexpr Query kInsertLink{
    "tracking.move_dataset_link",
    "INSERT INTO dataset_links (run_id, direction, dataset_id) VALUES ($1, $2, $3)"};
constexpr Query kMoveLinkTags{"tracking.move_dataset_link_tags",
                              "UPDATE dataset_link_tags SET dataset_id = $4 "
                              "WHERE run_id = $1 AND direction = $2 AND dataset_id = $3"};
constexpr Query kDeleteLink{
    "tracking.remove_moved_dataset_link",
    "DELETE FROM dataset_links WHERE run_id = $1 AND direction = $2 AND dataset_id = $3"};
constexpr Query kDeleteDatasetIfUnused{
    "tracking.delete_unused_dataset",
    "DELETE FROM datasets WHERE dataset_id = $1 "
    "AND NOT EXISTS (SELECT 1 FROM dataset_links l WHERE l.dataset_id = datasets.dataset_id)"};

struct LinkToMove {
  int64_t direction;
  int64_t dataset_id;
  Dataset dataset;
};

LinkToMove LinkFromRow(const Row& row) {
  return {row.GetInt64(0),
          row.GetInt64(1),
          {.name = row.GetText(2),
           .digest = row.GetText(3),
           .source_type = row.GetText(4),
           .source = row.GetText(5),
           .schema = row.GetText(6),
           .profile = row.GetText(7)}};
}

/// Datasets belong to an experiment, so the run's links go to the other experiment's copies.
Status MoveLinksIn(Tx& tx, std::string_view run_id, int64_t experiment_id) {
  ASSIGN_OR_RETURN(std::vector<LinkToMove> links, tx.FindAll(kListLinks, {run_id}, LinkFromRow));
  for (const LinkToMove& link : links) {
    ASSIGN_OR_RETURN(int64_t dataset_id, FindOrCreateDatasetIn(tx, experiment_id, link.dataset));
    RETURN_IF_ERROR(tx.Execute(kInsertLink, {run_id, link.direction, dataset_id}));
    RETURN_IF_ERROR(
        tx.Execute(kMoveLinkTags, {run_id, link.direction, link.dataset_id, dataset_id}));
    RETURN_IF_ERROR(tx.Execute(kDeleteLink, {run_id, link.direction, link.dataset_id}));
    RETURN_IF_ERROR(tx.Execute(kDeleteDatasetIfUnused, {link.dataset_id}));
  }
  return Ok();
}

}  // namespace

Result<int64_t> SqlStore::DeleteRunsBefore(std::string_view experiment_id,
                                           int64_t started_before_ms, int64_t max_count) {
  ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(experiment_id));
  if (max_count < 1) {
    return InvalidArgument(
        fmt::format("Invalid value {} for parameter 'max_runs' supplied. It "
                    "must be a positive integer.",
                    max_count));
  }
  return db_.Write([&](Tx& tx) -> Result<int64_t> {
    RETURN_IF_ERROR(GetActiveExperimentIn(tx, id));
    return tx.Execute(kDeleteBefore, {id, started_before_ms, max_count, clock_.NowMs()});
  });
}

Status SqlStore::MoveRuns(std::span<const std::string> run_ids, std::string_view experiment_id) {
  ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(experiment_id));
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetActiveExperimentIn(tx, id));
    for (const std::string& run_id : run_ids) {
      ASSIGN_OR_RETURN(RunKey run, GetActiveRunKeyIn(tx, run_id));
      if (run.experiment_id == id) continue;
      RETURN_IF_ERROR(tx.Execute(kMoveRun, {run_id, id}));
      RETURN_IF_ERROR(MoveRunRowsIn(tx, run.run_no, id));
      RETURN_IF_ERROR(tx.Execute(kMoveModels, {run_id, id, run.experiment_id}));
      RETURN_IF_ERROR(MoveLinksIn(tx, run_id, id));
    }
    return Ok();
  });
}

}  // namespace sluice::tracking::internal
