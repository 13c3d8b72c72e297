#include "app/store_database.h"

#include <fmt/format.h>

#include <iterator>

#include "auth/store.h"
#include "registry/store.h"
#include "runner/run_cache.h"
#include "tracking/store.h"

namespace sluice::app {

namespace {

constexpr std::string_view kSqlitePrefix = "sqlite:///";

/// A database is ours when it has our record of migrations, or nothing at all that MLflow has.
Status CheckIsOurs(sql::Db& db, const std::string& uri) {
  ASSIGN_OR_RETURN(const bool is_ours, db.HasTable("schema_migrations"));
  if (is_ours) return Ok();
  for (const char* table : {"alembic_version", "experiments", "runs", "registered_models"}) {
    ASSIGN_OR_RETURN(const bool is_foreign, db.HasTable(table));
    if (!is_foreign) continue;
    // Another replica may have begun the tables meanwhile; its record came before them.
    ASSIGN_OR_RETURN(const bool is_ours_by_now, db.HasTable("schema_migrations"));
    if (is_ours_by_now) return Ok();
    return FailedPrecondition(fmt::format(
        "{} is a database that Sluice did not make (it has a table '{}'); it was left alone. If it "
        "is MLflow's, `sluice import mlflow {}` copies what it holds into a store of ours; name "
        "another database with --backend-store-uri to start with an empty one",
        db.description(), table, uri.starts_with(kSqlitePrefix) ? uri : "postgresql://..."));
  }
  return Ok();
}

/// Where the copy goes; empty for what is no file.
std::string BackupPath(const std::string& uri) {
  if (!uri.starts_with(kSqlitePrefix)) return {};
  const std::string path = uri.substr(kSqlitePrefix.size());
  return path.empty() || path == ":memory:" ? std::string() : path + ".before-migration";
}

}  // namespace

std::vector<sql::Migration> AllMigrations() {
  std::vector<sql::Migration> all = runner::RunnerMigrations();
  for (std::vector<sql::Migration>& more : std::vector<std::vector<sql::Migration>>{
           tracking::Migrations(), registry::Migrations(), auth::Migrations()}) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  }
  return all;
}

Result<std::unique_ptr<sql::Db>> OpenStoreDatabase(const std::string& uri,
                                                   const sql::OpenOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<sql::Db> db, sql::OpenDatabase(uri, options));
  RETURN_IF_ERROR(CheckIsOurs(*db, uri));
  const Result<int> applied =
      sql::Migrate(*db, AllMigrations(), SystemClock(), {.backup_path = BackupPath(uri)});
  if (!applied.ok()) return applied.error();
  return db;
}

}  // namespace sluice::app
