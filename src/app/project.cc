#include "app/project.h"

#include <fmt/format.h>

#include "app/step_kinds.h"
#include "app/store_database.h"
#include "io/fs.h"
#include "pipeline/parse.h"
#include "runner/run_cache.h"
#include "sql/migrator.h"
#include "sql/sqlite.h"

namespace sluice::app {

Result<std::string> FindProjectRoot(std::string_view given) {
  io::Fs& fs = io::RealFs();
  ASSIGN_OR_RETURN(std::string start, io::AbsolutePath(given.empty() ? "." : given));
  std::string folder = start;
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info,
                     fs.Stat(io::JoinPath(folder, kPipelineFile)));
    if (info) return folder;
    std::string parent = io::DirName(folder);
    if (!given.empty() || parent == folder) break;
    folder = parent;
  }
  return NotFound(fmt::format(
      "no {} in '{}'{}; go to a project's folder, name one with --project, or make one with "
      "`sluice init --template credit`",
      kPipelineFile, start, given.empty() ? " or any folder above it" : ""));
}

Project::Project(std::string root)
    : root_(std::move(root)), state_dir_(io::JoinPath(root_, kStateFolder)) {}

Result<std::unique_ptr<Project>> Project::Open(std::string root) {
  std::unique_ptr<Project> project(new Project(std::move(root)));
  RETURN_IF_ERROR(io::RealFs().MakeDirectories(project->state_dir_));
  return project;
}

Result<sql::Db*> Project::Db() {
  if (!db_) {
    ASSIGN_OR_RETURN(std::unique_ptr<sql::Db> db,
                     sql::OpenSqlite(io::JoinPath(state_dir_, "sluice.db")));
    Result<int> applied =
        sql::Migrate(*db, AllMigrations(), SystemClock(),
                     {.backup_path = io::JoinPath(state_dir_, "sluice.db.before-migration")});
    if (!applied.ok()) return std::move(applied).error();
    db_ = std::move(db);
  }
  return db_.get();
}

Result<objects::Store*> Project::Objects() {
  if (!objects_) {
    ASSIGN_OR_RETURN(objects::StatCache * cache, StatCache());
    ASSIGN_OR_RETURN(
        objects_,
        objects::Store::Open(io::RealFs(), io::JoinPath(state_dir_, "objects"), {.cache = cache}));
  }
  return objects_.get();
}

Result<objects::StatCache*> Project::StatCache() {
  if (!stat_cache_) {
    ASSIGN_OR_RETURN(stat_cache_, objects::StatCache::Open(io::RealFs(),
                                                           io::JoinPath(state_dir_, "stat-cache")));
  }
  return stat_cache_.get();
}

Result<tracking::Store*> Project::Tracking() {
  if (!tracking_) {
    ASSIGN_OR_RETURN(sql::Db * db, Db());
    ASSIGN_OR_RETURN(tracking_, tracking::OpenStore(*db, {.artifact_root = "mlflow-artifacts:/"}));
  }
  return tracking_.get();
}

Result<registry::Store*> Project::Registry() {
  if (!registry_) {
    ASSIGN_OR_RETURN(sql::Db * db, Db());
    registry_ = registry::OpenStore(*db);
  }
  return registry_.get();
}

Result<const pipeline::Pipeline*> Project::Pipeline() {
  if (!pipeline_) {
    ASSIGN_OR_RETURN(std::string text, io::RealFs().ReadFile(io::JoinPath(root_, kPipelineFile),
                                                             pipeline::kMaxFileSizeBytes));
    pipeline::ParseOutcome outcome = pipeline::ParsePipelineFully(text, kPipelineFile, StepKinds());
    if (!outcome.pipeline) {
      // Each is shown with its place; the first decides the code.
      std::string rest;
      for (size_t i = 1; i < outcome.errors.size(); ++i)
        rest += "\nerror: " + outcome.errors[i].ToString();
      const Error& first = outcome.errors.front();
      return Error(first.code(), first.ToString() + rest);
    }
    pipeline_ = std::make_unique<pipeline::Pipeline>(*std::move(outcome.pipeline));
  }
  return pipeline_.get();
}

Result<std::unique_ptr<Project>> OpenProject(std::string_view given) {
  ASSIGN_OR_RETURN(std::string root, FindProjectRoot(given));
  return Project::Open(std::move(root));
}

Result<std::string> MaterialiseVersion(Project& project, const registry::ModelVersion& version) {
  ASSIGN_OR_RETURN(objects::ObjectId id, objects::ObjectId::Parse(version.model_id));
  ASSIGN_OR_RETURN(objects::Store * store, project.Objects());
  std::string folder = io::JoinPath(project.state_dir(), io::JoinPath("models", id.digest.ToHex()));
  RETURN_IF_ERROR(io::RealFs().MakeDirectories(io::DirName(folder)));
  Status status = store->Materialise(id, folder, objects::LinkMode::kAuto);
  if (!status.ok()) {
    return std::move(status).error().With(
        fmt::format("model '{}' version {}", version.name, version.version));
  }
  return folder;
}

Result<std::string> FindModelFolder(const std::string& model, std::string_view project_dir) {
  if (!model.starts_with("models:/")) {
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, io::RealFs().Stat(model));
    if (!info) {
      return NotFound(
          fmt::format("there is no model folder '{}'; name a folder, models:/NAME/VERSION, "
                      "models:/NAME@ALIAS or "
                      "models:/NAME/latest (`sluice models` lists what is registered)",
                      model));
    }
    return io::AbsolutePath(model);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Project> project, OpenProject(project_dir));
  ASSIGN_OR_RETURN(registry::Store * registry, project->Registry());
  ASSIGN_OR_RETURN(registry::ModelVersion version, registry->Resolve(model));
  return MaterialiseVersion(*project, version);
}

}  // namespace sluice::app
