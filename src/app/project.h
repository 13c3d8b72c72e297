// A project's folder and what Sluice keeps in its .sluice folder, opened once per command.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objects/store.h"
#include "pipeline/graph.h"
#include "registry/store.h"
#include "sql/db.h"
#include "tracking/store.h"

namespace sluice::app {

inline constexpr char kPipelineFile[] = "sluice.yaml";
inline constexpr char kStateFolder[] = ".sluice";
/// In the state folder: what stands behind "mlflow-artifacts:/" of the project's runs.
inline constexpr char kArtifactsFolder[] = "artifacts";

/// The folder of the project: `given` (which must hold a sluice.yaml), or with an empty one the
/// nearest folder with a sluice.yaml from the current one upwards. Absolute. Errors: kNotFound
/// naming the folder and the next step.
Result<std::string> FindProjectRoot(std::string_view given);

/// The embedded stores of one project. Members are opened when first asked for, so that a command
/// pays only for what it uses. One thread at a time; the stores themselves are thread-safe.
class Project {
 public:
  /// `root` is absolute. Makes .sluice if it is not there. Errors: those of io::Fs.
  static Result<std::unique_ptr<Project>> Open(std::string root);

  const std::string& root() const { return root_; }
  const std::string& state_dir() const { return state_dir_; }

  /// sluice.db, migrated. Errors: those of sql::OpenSqlite and sql::Migrate.
  Result<sql::Db*> Db();
  Result<objects::Store*> Objects();
  Result<objects::StatCache*> StatCache();
  Result<tracking::Store*> Tracking();
  Result<registry::Store*> Registry();

  /// The parsed sluice.yaml. Errors: all of the file's, the first with its place; the others are
  /// printed by `sluice run` and `sluice plan` (see ParseProjectPipeline).
  Result<const pipeline::Pipeline*> Pipeline();

 private:
  explicit Project(std::string root);

  const std::string root_;
  const std::string state_dir_;
  std::unique_ptr<sql::Db> db_;
  std::unique_ptr<objects::Store> objects_;
  std::unique_ptr<objects::StatCache> stat_cache_;
  std::unique_ptr<tracking::Store> tracking_;
  std::unique_ptr<registry::Store> registry_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
};

/// FindProjectRoot, then Project::Open.
Result<std::unique_ptr<Project>> OpenProject(std::string_view given);

/// The folder to load a model from: `model` is a folder itself, or "models:/name/version",
/// "models:/name@alias", "models:/name/latest" in the project's registry (the folder is then a
/// verified copy from the object store). Errors: kNotFound naming what there is instead; kDataLoss
/// if the stored model is damaged.
Result<std::string> FindModelFolder(const std::string& model, std::string_view project_dir);

/// As above for a registered version.
Result<std::string> MaterialiseVersion(Project& project, const registry::ModelVersion& version);

}  // namespace sluice::app
