// MLflow's database, of any schema from 2.x to 3.17, on SQLite or PostgreSQL. What is there is
// found by looking at tables and columns: the id of the newest migration does not tell forks apart.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/mlflow_import/source.h"
#include "sql/db.h"

namespace sluice::app::mlflow_import {

/// Which of a database's workspaces come (MLflow 3.17 has them).
struct WorkspaceChoice {
  std::string only = "default";
  /// All of them; the names of experiments and models of others than the default one get its name
  /// and a dot in front.
  bool takes_all = false;
};

class SqlSource : public Source {
 public:
  /// The database must outlive it. Errors: kInvalidArgument if it is none of MLflow's;
  /// kFailedPrecondition if it has rows in workspaces that were not chosen, or its schema is of
  /// MLflow 1 (lacks what 2.x has); kNotFound for a chosen workspace that is not there.
  static Result<std::unique_ptr<SqlSource>> Open(sql::Db& db, std::string name,
                                                 const WorkspaceChoice& workspaces);

  std::string name() const override { return name_; }
  Result<Piece<tracking::Experiment>> ReadExperiments(const std::string& after) override;
  Result<Piece<tracking::BulkDataset>> ReadDatasets(const std::string& after) override;
  Result<Piece<SourceRun>> ReadRuns(const std::string& after, RunParts parts) override;
  Status ReadPoints(const std::string& run_id,
                    const std::function<Status(std::span<const tracking::Metric>)>& visit) override;
  Result<Piece<tracking::LoggedModel>> ReadLoggedModels(const std::string& after) override;
  Result<Piece<registry::RegisteredModel>> ReadModels(const std::string& after) override;
  Result<Piece<registry::ModelVersion>> ReadVersions(const std::string& after) override;
  Result<Piece<SourceAlias>> ReadAliases(const std::string& after) override;
  Result<Piece<registry::Webhook>> ReadWebhooks(const std::string& after) override;
  Result<Tally> Count() override;

 private:
  SqlSource(sql::Db& db, std::string name, const WorkspaceChoice& workspaces)
      : db_(db), name_(std::move(name)), workspaces_(workspaces) {}

  Status LookAtSchema();
  Status CheckWorkspaces();
  Result<bool> HasColumn(std::string_view table, std::string_view column);
  /// A condition on table `alias` that uses $1, the workspace, in any case.
  std::string OfWorkspace(std::string_view alias) const;
  /// The column `alias`.name as it will be called.
  std::string NameIn(std::string_view alias) const;

  struct RunRange;
  Status LoadTexts(sql::Reader& reader, RunRange& range);
  Status LoadPoints(sql::Reader& reader, RunRange& range);
  Status LoadLinks(sql::Reader& reader, RunRange& range);

  sql::Db& db_;
  const std::string name_;
  const WorkspaceChoice workspaces_;
  bool has_workspaces_ = false;
  bool has_datasets_ = false;
  bool has_input_step_ = false;
  bool has_logged_models_ = false;
  bool has_aliases_ = false;
  bool has_webhooks_ = false;
  bool has_deleted_time_ = false;
  bool has_storage_location_ = false;
  bool has_experiment_times_ = false;
};

}  // namespace sluice::app::mlflow_import
