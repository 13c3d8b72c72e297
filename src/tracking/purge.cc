// Purging in steps that each leave a database in order:
//
//   1. mark: stage 2, so that nobody sees the thing any more, its artifacts onto the list, and an
//      experiment's name out of the way; in one transaction for up to a thousand things
//   2. sweep: rows that hang on it go, then its own row, in transactions of bounded size
//
// A purge that dies in between has marked what it has marked; whoever comes next sweeps it. The row
// of a run goes last because its number may be given again once it is gone.
#include "tracking/purge.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "base/id.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/values.h"
#include "tracking/run.h"

namespace sluice::tracking {
namespace {

using internal::Values;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr int64_t kMarkedAtOnce = 1000;
constexpr int64_t kSweptAtOnce = 100;
constexpr int64_t kPointsAtOnce = 20'000;

/// Runs or logged models: what differs between them.
struct Kind {
  std::string_view table;
  std::string_view id;          ///< column
  std::string_view deleted_ms;  ///< column
  std::string_view removal;     ///< prefix of removal_id
};
constexpr Kind kRuns{"runs", "run_id", "deleted_ms", "run:"};
constexpr Kind kModels{"logged_models", "model_id", "updated_ms", "model:"};

std::string TextFromRow(const Row& row) { return row.GetText(0); }

int64_t LatestOf(const PurgeRequest& request) {
  return request.deleted_before_ms.value_or(std::numeric_limits<int64_t>::max());
}

/// Marks up to kMarkedAtOnce things that `condition` holds for; returns their ids.
Result<std::vector<std::string>> MarkIn(Tx& tx, const Kind& kind, std::string_view condition,
                                        const Values& values, int64_t now_ms) {
  std::string text = fmt::format("SELECT {0} FROM {1} WHERE {2} ORDER BY {0} LIMIT {3}", kind.id,
                                 kind.table, condition, kMarkedAtOnce);
  ASSIGN_OR_RETURN(std::vector<std::string> ids,
                   tx.FindAll(Query{"tracking.find_to_purge", text}, values.params(), TextFromRow));
  if (ids.empty()) return ids;
  Values marked;
  std::string now = marked.Bind(now_ms);
  std::string prefix = marked.Bind(kind.removal);
  std::string list = marked.BindAll(ids);
  text = fmt::format(
      "INSERT INTO artifact_removals (removal_id, artifact_uri, recorded_ms) "
      "SELECT CAST({0} AS TEXT) || {1}, artifact_uri, CAST({2} AS BIGINT) FROM {3} "
      "WHERE {1} IN ({4}) ON CONFLICT DO NOTHING",
      prefix, kind.id, now, kind.table, list);
  RETURN_IF_ERROR(tx.Execute(Query{"tracking.record_artifact_removals", text}, marked.params()));
  Values these;
  text = fmt::format("UPDATE {} SET stage = 2 WHERE {} IN ({})", kind.table, kind.id,
                     these.BindAll(ids));
  RETURN_IF_ERROR(tx.Execute(Query{"tracking.mark_purged", text}, these.params()));
  return ids;
}

/// Marks all there are, a transaction for each thousand.
Result<std::vector<std::string>> Mark(sql::Db& db, const Kind& kind, std::string_view condition,
                                      const Values& values, int64_t now_ms) {
  std::vector<std::string> all;
  while (true) {
    ASSIGN_OR_RETURN(std::vector<std::string> ids,
                     db.Write([&](Tx& tx) { return MarkIn(tx, kind, condition, values, now_ms); }));
    all.insert(all.end(), ids.begin(), ids.end());
    if (ids.size() < static_cast<size_t>(kMarkedAtOnce)) break;
  }
  std::sort(all.begin(), all.end());
  return all;
}

Result<std::vector<std::string>> ListDeleted(sql::Db& db, const Kind& kind, int64_t latest_ms) {
  Values values;
  std::string text = fmt::format("SELECT {0} FROM {1} WHERE stage = 1 AND {2} <= {3} ORDER BY {0}",
                                 kind.id, kind.table, kind.deleted_ms, values.Bind(latest_ms));
  return db.Read([&](Reader& reader) {
    return reader.FindAll(Query{"tracking.list_deleted", text}, values.params(), TextFromRow);
  });
}

/// What was asked for by id, each checked by `check`, or all that was deleted.
Result<std::vector<std::string>> MarkRequested(
    sql::Db& db, const Kind& kind, const PurgeRequest& request, int64_t now_ms,
    const std::function<Status(Reader&, const std::string&)>& check) {
  Status checked = db.Read([&](Reader& reader) -> Status {
    for (const std::string& id : request.ids) RETURN_IF_ERROR(check(reader, id));
    return Ok();
  });
  RETURN_IF_ERROR(std::move(checked));
  std::vector<std::string> all;
  if (request.is_dry_run) {
    if (request.ids.empty()) return ListDeleted(db, kind, LatestOf(request));
    all = request.ids;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }
  if (request.ids.empty()) {
    Values values;
    std::string condition =
        fmt::format("stage = 1 AND {} <= {}", kind.deleted_ms, values.Bind(LatestOf(request)));
    return Mark(db, kind, condition, values, now_ms);
  }
  std::span<const std::string> rest = request.ids;
  while (!rest.empty()) {
    std::span<const std::string> some =
        rest.first(std::min(rest.size(), static_cast<size_t>(kMarkedAtOnce)));
    rest = rest.subspan(some.size());
    Values values;
    std::string condition = fmt::format("stage = 1 AND {} IN ({})", kind.id, values.BindAll(some));
    ASSIGN_OR_RETURN(std::vector<std::string> ids, Mark(db, kind, condition, values, now_ms));
    all.insert(all.end(), ids.begin(), ids.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

/// Runs `sql`, one statement that deletes so many rows at most, until it finds none.
Status DeleteInBatches(sql::Db& db, std::string_view name, const std::string& text,
                       const Values& values, int64_t batch_count) {
  while (true) {
    ASSIGN_OR_RETURN(int64_t count, db.Write([&](Tx& tx) {
      return tx.Execute(Query{name, text}, values.params());
    }));
    if (count < batch_count) return Ok();
  }
}

constexpr Query kListMarkedRuns{
    "tracking.list_marked_runs",
    "SELECT run_no, run_id FROM runs WHERE stage = 2 ORDER BY run_no LIMIT $1"};

/// Everything that hangs on the runs, but for the points of their metrics, and the runs.
Status DeleteRunsIn(Tx& tx, std::span<const int64_t> run_nos,
                    std::span<const std::string> run_ids) {
  Values values;
  std::string list = values.BindAll(run_ids);
  std::string text =
      fmt::format("SELECT DISTINCT dataset_id FROM dataset_links WHERE run_id IN ({})", list);
  ASSIGN_OR_RETURN(std::vector<int64_t> dataset_ids,
                   tx.FindAll(Query{"tracking.list_datasets_of_purged", text}, values.params(),
                              [](const Row& row) { return row.GetInt64(0); }));
  for (std::string_view table :
       {"dataset_link_tags", "dataset_links", "model_links", "logged_model_metrics"}) {
    text = fmt::format("DELETE FROM {} WHERE run_id IN ({})", table, list);
    RETURN_IF_ERROR(tx.Execute(Query{"tracking.purge_of_run", text}, values.params()));
  }
  Values numbers;
  list = numbers.BindAll(run_nos);
  for (std::string_view table : {"metric_series", "params", "tags", "runs"}) {
    text = fmt::format("DELETE FROM {} WHERE run_no IN ({})", table, list);
    RETURN_IF_ERROR(tx.Execute(Query{"tracking.purge_of_run", text}, numbers.params()));
  }
  for (int64_t dataset_id : dataset_ids) {
    constexpr Query kDeleteDataset{
        "tracking.purge_dataset",
        "DELETE FROM datasets WHERE dataset_id = $1 AND NOT EXISTS "
        "(SELECT 1 FROM dataset_links l WHERE l.dataset_id = datasets.dataset_id)"};
    RETURN_IF_ERROR(tx.Execute(kDeleteDataset, {dataset_id}));
  }
  return Ok();
}

Status SweepRuns(sql::Db& db) {
  while (true) {
    std::vector<int64_t> run_nos;
    std::vector<std::string> run_ids;
    RETURN_IF_ERROR(db.Read([&](Reader& reader) {
      run_nos.clear();
      run_ids.clear();
      return reader.ForEach(kListMarkedRuns, {kSweptAtOnce}, [&](const Row& row) {
        run_nos.push_back(row.GetInt64(0));
        run_ids.push_back(row.GetText(1));
        return Ok();
      });
    }));
    if (run_nos.empty()) return Ok();
    Values values;
    std::string text = fmt::format(
        "DELETE FROM metric_points WHERE (series_id, timestamp_ms, step, is_nan, value) IN ("
        "SELECT p.series_id, p.timestamp_ms, p.step, p.is_nan, p.value FROM metric_series s "
        "JOIN metric_points p ON p.series_id = s.series_id WHERE s.run_no IN ({}) LIMIT {})",
        values.BindAll(run_nos), kPointsAtOnce);
    RETURN_IF_ERROR(
        DeleteInBatches(db, "tracking.purge_metric_points", text, values, kPointsAtOnce));
    RETURN_IF_ERROR(db.Write([&](Tx& tx) { return DeleteRunsIn(tx, run_nos, run_ids); }));
  }
}

Status SweepModels(sql::Db& db) {
  constexpr std::string_view kMarked = "SELECT model_id FROM logged_models WHERE stage = 2";
  for (std::string_view table :
       {"logged_model_metrics", "logged_model_params", "logged_model_tags"}) {
    // Every column of the primary key of each of the tables begins with these.
    std::string_view key =
        table == "logged_model_metrics"
            ? "model_id, key, timestamp_ms, step, run_id, dataset_hash, is_nan, value"
            : "model_id, key";
    std::string text = fmt::format(
        "DELETE FROM {0} WHERE ({1}) IN (SELECT {1} FROM {0} WHERE model_id IN ({2}) LIMIT {3})",
        table, key, kMarked, kPointsAtOnce);
    RETURN_IF_ERROR(DeleteInBatches(db, "tracking.purge_of_model", text, {}, kPointsAtOnce));
  }
  std::string text =
      fmt::format("DELETE FROM logged_models WHERE model_id IN ({} LIMIT {}) AND stage = 2",
                  kMarked, kMarkedAtOnce);
  return DeleteInBatches(db, "tracking.purge_models", text, {}, kMarkedAtOnce);
}

constexpr Query kListDeletedExperiments{
    "tracking.list_deleted_experiments",
    "SELECT experiment_id FROM experiments WHERE stage = 1 AND updated_ms <= $1 "
    "ORDER BY experiment_id"};
constexpr Query kListMarkedExperiments{
    "tracking.list_marked_experiments",
    "SELECT experiment_id FROM experiments WHERE stage = 2 ORDER BY experiment_id"};
constexpr Query kMarkExperiment{
    "tracking.mark_experiment",
    "UPDATE experiments SET stage = 2, name = $2 WHERE experiment_id = $1 AND stage = 1"};
constexpr Query kRememberExperiment{
    "tracking.remember_purged_experiment",
    "INSERT INTO purged_experiments (experiment_id, purged_ms) VALUES ($1, $2) "
    "ON CONFLICT DO NOTHING"};

int64_t IdFromRow(const Row& row) { return row.GetInt64(0); }

/// With all that is in them.
Status SweepExperiments(sql::Db& db, Clock& clock) {
  ASSIGN_OR_RETURN(std::vector<int64_t> ids, db.Read([](Reader& reader) {
    return reader.FindAll(kListMarkedExperiments, {}, IdFromRow);
  }));
  for (int64_t id : ids) {
    Values values;
    std::string condition = "stage < 2 AND experiment_id = " + values.Bind(id);
    RETURN_IF_ERROR(Mark(db, kRuns, condition, values, clock.NowMs()));
    RETURN_IF_ERROR(Mark(db, kModels, condition, values, clock.NowMs()));
  }
  RETURN_IF_ERROR(SweepRuns(db));
  RETURN_IF_ERROR(SweepModels(db));
  for (int64_t id : ids) {
    Status deleted = db.Write([&](Tx& tx) -> Status {
      RETURN_IF_ERROR(tx.Execute(kRememberExperiment, {id, clock.NowMs()}));
      for (std::string_view table : {"experiment_tags", "datasets", "experiments"}) {
        std::string text = fmt::format("DELETE FROM {} WHERE experiment_id = $1", table);
        RETURN_IF_ERROR(tx.Execute(Query{"tracking.purge_of_experiment", text}, {id}));
      }
      return Ok();
    });
    RETURN_IF_ERROR(std::move(deleted));
  }
  return Ok();
}

struct Found {
  int64_t stage;
  int64_t deleted_ms;
};

/// Errors: `missing`, `not_deleted` and, in the words of `mlflow gc`, that `what` is too young.
Status CheckFound(const std::optional<Found>& found, int64_t latest_ms, Error missing,
                  Error not_deleted, std::string_view what) {
  if (!found) return missing;
  if (found->stage != 1) return not_deleted;
  if (found->deleted_ms <= latest_ms) return Ok();
  return FailedPrecondition(fmt::format("{} not older than the required age.", what));
}

Result<std::optional<Found>> Find(Reader& reader, const Query& query, const sql::Param& id) {
  return reader.FindOne(query, {id}, [](const Row& row) {
    return Found{row.GetInt64(0), row.FindInt64(1).value_or(0)};
  });
}

Status CheckRun(Reader& reader, const std::string& id, int64_t latest_ms) {
  constexpr Query kGet{"tracking.get_run_to_purge",
                       "SELECT stage, deleted_ms FROM runs WHERE run_id = $1 AND stage < 2"};
  ASSIGN_OR_RETURN(std::optional<Found> found, Find(reader, kGet, id));
  return CheckFound(found, latest_ms, NotFound(fmt::format("Run with id={} not found", id)),
                    FailedPrecondition(fmt::format(
                        "Run {} is not in `deleted` lifecycle stage. Only runs in `deleted` "
                        "lifecycle stage can be deleted.",
                        id)),
                    fmt::format("Run {} is", id));
}

Status CheckModel(Reader& reader, const std::string& id, int64_t latest_ms) {
  constexpr Query kGet{
      "tracking.get_model_to_purge",
      "SELECT stage, updated_ms FROM logged_models WHERE model_id = $1 AND stage < 2"};
  ASSIGN_OR_RETURN(std::optional<Found> found, Find(reader, kGet, id));
  return CheckFound(found, latest_ms,
                    NotFound(fmt::format("Logged model with ID '{}' not found.", id)),
                    FailedPrecondition(fmt::format(
                        "Logged model {} is not in `deleted` lifecycle stage. Only logged models "
                        "in `deleted` lifecycle stage can be deleted.",
                        id)),
                    fmt::format("Logged model {} is", id));
}

Status CheckExperiment(Reader& reader, int64_t id, int64_t latest_ms) {
  constexpr Query kGet{
      "tracking.get_experiment_to_purge",
      "SELECT stage, updated_ms FROM experiments WHERE experiment_id = $1 AND stage < 2"};
  ASSIGN_OR_RETURN(std::optional<Found> found, Find(reader, kGet, id));
  return CheckFound(found, latest_ms, NotFound(fmt::format("No Experiment with id={} exists", id)),
                    FailedPrecondition(fmt::format(
                        "Experiments ['{}'] are not in the deleted lifecycle stage. Only "
                        "experiments in the deleted lifecycle stage can be hard-deleted.",
                        id)),
                    fmt::format("Experiments ['{}'] are", id));
}

/// The experiments to mark.
Result<std::vector<int64_t>> FindExperiments(Reader& reader, const PurgeRequest& request) {
  if (request.ids.empty())
    return reader.FindAll(kListDeletedExperiments, {LatestOf(request)}, IdFromRow);
  std::vector<int64_t> ids;
  for (const std::string& text : request.ids) {
    ASSIGN_OR_RETURN(int64_t id, internal::ParseExperimentId(text));
    RETURN_IF_ERROR(CheckExperiment(reader, id, LatestOf(request)));
    ids.push_back(id);
  }
  return ids;
}

constexpr Query kListRemovals{"tracking.list_artifact_removals",
                              "SELECT removal_id, artifact_uri FROM artifact_removals "
                              "WHERE recorded_ms <= $2 ORDER BY recorded_ms, removal_id LIMIT $1"};
constexpr Query kPostponeRemoval{
    "tracking.postpone_artifact_removal",
    "UPDATE artifact_removals SET recorded_ms = $2 WHERE removal_id = $1"};
constexpr Query kFinishRemoval{"tracking.finish_artifact_removal",
                               "DELETE FROM artifact_removals WHERE removal_id = $1"};

std::string OwnFolder(std::string_view removal_id, std::string_view artifact_uri) {
  constexpr std::string_view kArtifacts = "/artifacts";
  std::string_view id = removal_id.substr(removal_id.find(':') + 1);
  bool is_own = artifact_uri.ends_with(fmt::format("/{}{}", id, kArtifacts));
  if (is_own) artifact_uri.remove_suffix(kArtifacts.size());
  return std::string(artifact_uri);
}

}  // namespace

Result<std::vector<std::string>> Purger::PurgeRuns(const PurgeRequest& request) {
  ASSIGN_OR_RETURN(std::vector<std::string> ids,
                   MarkRequested(db_, kRuns, request, clock_.NowMs(),
                                 [&](Reader& reader, const std::string& id) {
                                   return CheckRun(reader, id, LatestOf(request));
                                 }));
  if (!request.is_dry_run) RETURN_IF_ERROR(SweepRuns(db_));
  return ids;
}

Result<std::vector<std::string>> Purger::PurgeLoggedModels(const PurgeRequest& request) {
  ASSIGN_OR_RETURN(std::vector<std::string> ids,
                   MarkRequested(db_, kModels, request, clock_.NowMs(),
                                 [&](Reader& reader, const std::string& id) {
                                   return CheckModel(reader, id, LatestOf(request));
                                 }));
  if (!request.is_dry_run) RETURN_IF_ERROR(SweepModels(db_));
  return ids;
}

Result<std::vector<std::string>> Purger::PurgeExperiments(const PurgeRequest& request) {
  auto mark = [&](Tx& tx) -> Result<std::vector<std::string>> {
    ASSIGN_OR_RETURN(std::vector<int64_t> ids, FindExperiments(tx, request));
    std::vector<std::string> marked;
    for (int64_t id : ids) {
      // The name is free from here on; nobody sees this one.
      std::string name = fmt::format("\x01purged {} {}", id, NewRandomHex(16));
      int64_t count = 1;
      if (!request.is_dry_run) {
        ASSIGN_OR_RETURN(count, tx.Execute(kMarkExperiment, {id, name}));
      }
      if (count > 0) marked.push_back(std::to_string(id));
    }
    return marked;
  };
  ASSIGN_OR_RETURN(std::vector<std::string> purged, db_.Write(mark));
  std::sort(purged.begin(), purged.end());
  if (!request.is_dry_run) RETURN_IF_ERROR(SweepExperiments(db_, clock_));
  return purged;
}

Status Purger::Resume() { return SweepExperiments(db_, clock_); }

Result<std::vector<ArtifactRemoval>> Purger::ListArtifactRemovals(size_t max_count, bool only_due) {
  int64_t latest_ms = only_due ? clock_.NowMs() : std::numeric_limits<int64_t>::max();
  return db_.Read([&](Reader& reader) {
    return reader.FindAll(kListRemovals, {max_count, latest_ms}, [](const Row& row) {
      return ArtifactRemoval{row.GetText(0), OwnFolder(row.GetTextView(0), row.GetTextView(1))};
    });
  });
}

Status Purger::PostponeArtifactRemoval(std::string_view removal_id, int64_t delay_ms) {
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(tx.Execute(kPostponeRemoval, {removal_id, clock_.NowMs() + delay_ms}));
    return Ok();
  });
}

Status Purger::FinishArtifactRemoval(std::string_view removal_id) {
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(tx.Execute(kFinishRemoval, {removal_id}));
    return Ok();
  });
}

}  // namespace sluice::tracking
