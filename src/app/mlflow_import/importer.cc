#include "app/mlflow_import/importer.h"

#include <fmt/format.h>

#include <charconv>

#include "registry/bulk_writer.h"
#include "tracking/bulk_reader.h"
#include "tracking/bulk_writer.h"

namespace sluice::app::mlflow_import {
namespace {

using sql::Reader;
using sql::Tx;
using tracking::ImportProgress;

constexpr std::string_view kAll = "all";  // the phase that is done when all are
constexpr std::string_view kPhases[] = {"experiments",   "datasets",          "runs",
                                        "logged models", "registered models", "model versions",
                                        "aliases",       "webhooks"};

/// PostgreSQL plans badly what grew in one go, until its statistics are gathered: searches took
/// seconds. (On SQLite the plans are ours.)
constexpr sql::Query kGatherStatistics{
    .name = "import.gather_statistics", .text = "SELECT 1", .postgres = "ANALYZE"};

class Importer {
 public:
  Importer(Source& source, sql::Db& target, const ImportOptions& options, Notes& notes,
           Clock& clock)
      : source_(source), target_(target), options_(options), notes_(notes), clock_(clock) {}

  Status Run() {
    RETURN_IF_ERROR(Begin());
    RETURN_IF_ERROR(BringExperiments());
    RETURN_IF_ERROR(BringDatasets());
    RETURN_IF_ERROR(BringRuns());
    RETURN_IF_ERROR(BringLoggedModels());
    RETURN_IF_ERROR(BringRegistry());
    return target_.Write([&](Tx& tx) -> Status {
      RETURN_IF_ERROR(SetProgress(tx, kAll, {.is_done = true}));
      Result<int64_t> gathered = tx.Execute(kGatherStatistics);
      return gathered.ok() ? Ok() : Status(gathered.error());
    });
  }

 private:
  Result<ImportProgress> GetProgress(std::string_view phase) {
    return target_.Read([&](Reader& reader) {
      return tracking::GetImportProgressIn(reader, source_.name(), phase);
    });
  }
  Status SetProgress(Tx& tx, std::string_view phase, const ImportProgress& progress) {
    return tracking::SetImportProgressIn(tx, source_.name(), phase, progress, clock_.NowMs());
  }

  Status Begin() {
    ASSIGN_OR_RETURN(const ImportProgress all, GetProgress(kAll));
    if (all.is_done) {
      return target_.Write([&](Tx& tx) -> Status {
        for (std::string_view phase : kPhases) RETURN_IF_ERROR(SetProgress(tx, phase, {}));
        return SetProgress(tx, kAll, {});
      });
    }
    ASSIGN_OR_RETURN(const ImportProgress first, GetProgress(kPhases[0]));
    if (!first.position.empty() || first.is_done) return Ok();
    return CheckIds();
  }

  /// An experiment of ours must not get the runs of another one.
  Status CheckIds() {
    ASSIGN_OR_RETURN(auto names, target_.Read([](Reader& reader) {
      return tracking::ListExperimentNamesIn(reader);
    }));
    std::map<std::string, int64_t> ids;
    for (const auto& [id, name] : names) ids[name] = id;
    std::string position;
    for (;;) {
      ASSIGN_OR_RETURN(auto piece, source_.ReadExperiments(position));
      for (const tracking::Experiment& experiment : piece.rows) {
        const int64_t id = NumberOf(experiment.id);
        auto same_id = names.find(id);
        if (same_id != names.end() && same_id->second != experiment.name) {
          return FailedPrecondition(fmt::format(
              "experiment {} is '{}' in the source and '{}' in the target, and ids are kept: "
              "import into another database",
              id, experiment.name, same_id->second));
        }
        auto same_name = ids.find(experiment.name);
        if (same_name == ids.end() || same_name->second == id) continue;
        return FailedPrecondition(
            fmt::format("the experiment '{}' has id {} in the source and {} in the target: rename "
                        "one, or import into another database",
                        experiment.name, id, same_name->second));
      }
      if (piece.is_last) return Ok();
      position = piece.position;
    }
  }

  static int64_t NumberOf(const std::string& text) {
    int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  /// `read`: position → piece; `write`: (tx, rows) → Status, may run twice.
  template <typename ReadPiece, typename WriteRows>
  Status Bring(std::string_view phase, ReadPiece read, WriteRows write) {
    ASSIGN_OR_RETURN(ImportProgress progress, GetProgress(phase));
    int64_t count = 0;
    while (!progress.is_done) {
      ASSIGN_OR_RETURN(auto piece, read(progress.position));
      progress = {.position = piece.position, .is_done = piece.is_last};
      const Status written = target_.Write([&](Tx& tx) -> Status {
        RETURN_IF_ERROR(write(tx, piece.rows));
        return SetProgress(tx, phase, progress);
      });
      RETURN_IF_ERROR(written);
      count += std::ssize(piece.rows);
      if (options_.on_progress) options_.on_progress(phase, count);
    }
    return Ok();
  }

  Status BringExperiments() {
    return Bring(
        "experiments",
        [&](const std::string& after) -> Result<Piece<tracking::Experiment>> {
          ASSIGN_OR_RETURN(auto piece, source_.ReadExperiments(after));
          for (tracking::Experiment& experiment : piece.rows) {
            if (experiment.name.empty()) notes_.Add("experiments without a name", experiment.id);
            experiment.artifact_location = options_.rewrite_uri(experiment.artifact_location);
          }
          return piece;
        },
        [](Tx& tx, const auto& rows) { return tracking::AddExperimentsIn(tx, rows); });
  }

  Status BringDatasets() {
    return Bring(
        "datasets", [&](const std::string& after) { return source_.ReadDatasets(after); },
        [](Tx& tx, const auto& rows) { return tracking::AddDatasetsIn(tx, rows); });
  }

  void CheckRun(const tracking::Run& run) {
    for (const tracking::Param& param : run.params) {
      if (param.value.size() > 6000)
        notes_.Add("param values longer than new ones may be, kept whole", run.info.run_id);
    }
    if (run.info.name.empty()) notes_.Add("runs without a name", run.info.run_id);
  }

  Status BringRuns() {
    return Bring(
        "runs",
        [&](const std::string& after) -> Result<Piece<tracking::BulkRun>> {
          ASSIGN_OR_RETURN(auto piece, source_.ReadRuns(after, RunParts::kAll));
          Piece<tracking::BulkRun> bulk{
              .rows = {}, .position = piece.position, .is_last = piece.is_last};
          for (SourceRun& run : piece.rows) {
            tracking::RunInfo& info = run.bulk.run.info;
            info.artifact_uri = options_.rewrite_uri(info.artifact_uri);
            CheckRun(run.bulk.run);
            if (run.is_long) {
              RETURN_IF_ERROR(BringLongHistory(run.bulk));
            } else {
              bulk.rows.push_back(std::move(run.bulk));
            }
          }
          return bulk;
        },
        [](Tx& tx, const auto& rows) { return tracking::AddRunsIn(tx, rows); });
  }

  /// In transactions of its own: it is done again if the process dies before the run counts as
  /// brought, which changes nothing.
  Status BringLongHistory(const tracking::BulkRun& run) {
    RETURN_IF_ERROR(
        target_.Write([&](Tx& tx) { return tracking::AddRunsIn(tx, std::span(&run, 1)); }));
    int64_t count = 0;
    return source_.ReadPoints(
        run.run.info.run_id, [&](std::span<const tracking::Metric> points) -> Status {
          RETURN_IF_ERROR(target_.Write(
              [&](Tx& tx) { return tracking::AddPointsIn(tx, run.run.info.run_id, points); }));
          count += std::ssize(points);
          if (options_.on_progress) options_.on_progress("points of a long run", count);
          return Ok();
        });
  }

  Status BringLoggedModels() {
    return Bring(
        "logged models",
        [&](const std::string& after) -> Result<Piece<tracking::LoggedModel>> {
          ASSIGN_OR_RETURN(auto piece, source_.ReadLoggedModels(after));
          for (tracking::LoggedModel& model : piece.rows)
            model.artifact_uri = options_.rewrite_uri(model.artifact_uri);
          return piece;
        },
        [&](Tx& tx, const auto& rows) -> Status {
          ASSIGN_OR_RETURN(const int64_t left_out, tracking::AddLoggedModelsIn(tx, rows));
          if (left_out > 0)
            notes_.Add("metrics of logged models whose run is gone, left out", "", left_out);
          return Ok();
        });
  }

  Status BringRegistry() {
    RETURN_IF_ERROR(Bring(
        "registered models", [&](const std::string& after) { return source_.ReadModels(after); },
        [](Tx& tx, const auto& rows) { return registry::AddModelsIn(tx, rows); }));
    RETURN_IF_ERROR(Bring(
        "model versions",
        [&](const std::string& after) -> Result<Piece<registry::ModelVersion>> {
          ASSIGN_OR_RETURN(auto piece, source_.ReadVersions(after));
          for (registry::ModelVersion& version : piece.rows) {
            version.source = options_.rewrite_uri(version.source);
            version.storage_location = options_.rewrite_uri(version.storage_location);
          }
          return piece;
        },
        [](Tx& tx, const auto& rows) { return registry::AddVersionsIn(tx, rows); }));
    RETURN_IF_ERROR(Bring(
        "aliases", [&](const std::string& after) { return source_.ReadAliases(after); },
        [&](Tx& tx, const auto& rows) -> Status {
          for (const SourceAlias& one : rows) {
            ASSIGN_OR_RETURN(const int64_t left_out,
                             registry::AddAliasesIn(tx, one.model, std::span(&one.alias, 1),
                                                    "imported from MLflow", clock_.NowMs()));
            if (left_out > 0) {
              notes_.Add("aliases of versions that are deleted, left out",
                         fmt::format("{}@{}", one.model, one.alias.alias));
            }
          }
          return Ok();
        }));
    return Bring(
        "webhooks",
        [&](const std::string& after) -> Result<Piece<registry::Webhook>> {
          ASSIGN_OR_RETURN(auto piece, source_.ReadWebhooks(after));
          for (const registry::Webhook& webhook : piece.rows) {
            if (!webhook.has_secret) continue;
            notes_.Add(
                "webhooks whose secret only MLflow can decrypt: they sign nothing until it is set "
                "again",
                webhook.name);
          }
          return piece;
        },
        [](Tx& tx, const auto& rows) { return registry::AddWebhooksIn(tx, rows); });
  }

  Source& source_;
  sql::Db& target_;
  const ImportOptions& options_;
  Notes& notes_;
  Clock& clock_;
};

}  // namespace

Status Import(Source& source, sql::Db& target, const ImportOptions& options, Notes& notes,
              Clock& clock) {
  return Importer(source, target, options, notes, clock).Run();
}

}  // namespace sluice::app::mlflow_import
