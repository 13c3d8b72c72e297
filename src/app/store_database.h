// Databases of ours: which migrations they have, and what is no database of ours.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/db.h"
#include "sql/migrator.h"
#include "sql/open.h"

namespace sluice::app {

/// Those of every module. All of them run on every database, so that one that a project began
/// (`sluice run`) can be served, and the reverse.
std::vector<sql::Migration> AllMigrations();

/// Opens the database that `uri` names and brings it to the newest schema. A SQLite database with
/// data is copied to "<path>.before-migration" first.
///
/// Errors: kFailedPrecondition for a database that somebody else made (MLflow's, with the command
/// that imports it): it is not touched; those of sql::OpenDatabase and sql::Migrate.
Result<std::unique_ptr<sql::Db>> OpenStoreDatabase(const std::string& uri,
                                                   const sql::OpenOptions& options = {});

}  // namespace sluice::app
