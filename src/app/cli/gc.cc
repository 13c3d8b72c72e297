// `sluice gc` and `sluice fsck`: care for the object store, and for a server's database.
#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/gc_store.h"
#include "app/project.h"
#include "app/steps/step.h"
#include "formats/duration.h"
#include "registry/store.h"
#include "runner/run.h"
#include "runner/run_cache.h"

namespace sluice::app {

namespace {

/// Whatever the run cache and the registry name. Runs name the same objects through the cache.
Result<std::vector<objects::ObjectId>> ListRoots(sql::Db& db) {
  runner::RunCache cache(db);
  ASSIGN_OR_RETURN(std::vector<objects::ObjectId> roots, cache.ListObjects());
  ASSIGN_OR_RETURN(std::vector<std::string> models, registry::ListModelObjectIds(db));
  for (const std::string& model : models) {
    if (model.empty()) continue;
    ASSIGN_OR_RETURN(objects::ObjectId id, objects::ObjectId::Parse(model));
    roots.push_back(id);
  }
  return roots;
}

/// Checked-out outputs and loaded models are hard links into the store: they keep the space of
/// objects that are gone, and the next run or command that wants one makes it again. Not while a
/// run reads them.
Status RemoveCheckouts(const Project& project) {
  io::Fs& fs = io::RealFs();
  Result<std::unique_ptr<io::FileLock>> lock = fs.Lock(
      io::JoinPath(project.root(), runner::kProjectLockPath), io::LockMode::kExclusive, false);
  if (!lock.ok()) {
    if (lock.error().code() == ErrorCode::kUnavailable) {
      return Unavailable("a run is in progress; collect garbage when it has ended");
    }
    return std::move(lock).error();
  }
  RETURN_IF_ERROR(fs.RemoveTree(io::JoinPath(project.state_dir(), "checkouts")));
  return fs.RemoveTree(io::JoinPath(project.state_dir(), "models"));
}

Result<int> RunGc(const Arguments& arguments) {
  if (WantsStoreGc(arguments)) return RunStoreGc(arguments);
  ASSIGN_OR_RETURN(std::unique_ptr<Project> project, OpenProject(arguments.Get("project")));
  ASSIGN_OR_RETURN(sql::Db * db, project->Db());
  ASSIGN_OR_RETURN(objects::Store * store, project->Objects());
  objects::GarbageOptions options;
  options.dry_run = arguments.Has("dry-run");
  ASSIGN_OR_RETURN(options.grace_ms, formats::ParseDurationMs(arguments.Get("grace")));
  if (!options.dry_run) RETURN_IF_ERROR(RemoveCheckouts(*project));
  ASSIGN_OR_RETURN(objects::GarbageReport report,
                   store->CollectGarbage([db] { return ListRoots(*db); }, options));
  if (arguments.Has("json")) {
    fmt::print("{}\n", formats::PrintJson(
                           formats::Json::MakeObject({{"kept_count", report.kept_count},
                                                      {"kept_bytes", report.kept_bytes},
                                                      {"removed_count", report.removed_count},
                                                      {"removed_bytes", report.removed_bytes}})));
  } else {
    fmt::print("{} {} objects, {} bytes; kept {} objects, {} bytes\n",
               options.dry_run ? "would remove" : "removed", PrintCount(report.removed_count),
               PrintCount(report.removed_bytes), PrintCount(report.kept_count),
               PrintCount(report.kept_bytes));
  }
  return 0;
}

Result<int> RunFsck(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::unique_ptr<Project> project, OpenProject(arguments.Get("project")));
  ASSIGN_OR_RETURN(objects::Store * store, project->Objects());
  ASSIGN_OR_RETURN(objects::FsckReport report, store->Fsck());
  for (const objects::Problem& problem : report.problems) {
    fmt::print("{}: {}\n", problem.digest.ToHex(), problem.message);
  }
  if (!arguments.Has("quiet")) {
    fmt::print("{} objects, {} bytes read, {} problems\n", PrintCount(report.object_count),
               PrintCount(report.size_bytes), report.problems.size());
  }
  return report.problems.empty() ? 0 : 1;
}

}  // namespace

Command MakeGcCommand() {
  std::vector<CliOption> options = {
      {"dry-run", 'n', "", "only say what would go"},
      {"grace", '\0', "DURATION", "keep what is younger than this", false, "1d"}};
  for (const CliOption& option : StoreGcOptionRows()) options.push_back(option);
  return {.name = "gc",
          .summary = "remove stored objects that no run, cache entry or model names",
          .details =
              "With --backend-store-uri it does what `mlflow gc` does, for a database of `sluice "
              "server`: runs, logged\nmodels and experiments that were deleted go for good, with "
              "their artifacts, and names become free. Where ids\nare given, only those go. It may "
              "run beside the server, and finishes what a killed one left half done.",
          .positionals = {},
          .options = std::move(options),
          .run = RunGc};
}

Command MakeFsckCommand() {
  return {.name = "fsck",
          .summary = "read every stored object and compare it with its name",
          .details = "",
          .positionals = {},
          .options = {},
          .run = RunFsck};
}

}  // namespace sluice::app
