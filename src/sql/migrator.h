// Brings a database to the schema this program knows. Forward only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sql/db.h"

namespace sluice::sql {

/// One file `migrations/NNNN_name.sql`. The number is unique across the whole product; a released
/// text never changes. The text runs on every engine. A comment /*sqlite ... */ is code on SQLite
/// and a comment elsewhere, for what only it knows (WITHOUT ROWID); /*postgres ... */ is code on
/// PostgreSQL (CREATE SEQUENCE). Types are BIGINT, DOUBLE PRECISION and TEXT; on PostgreSQL every
/// TEXT of CREATE TABLE and ALTER TABLE becomes TEXT COLLATE "C".
struct Migration {
  int number = 0;
  std::string_view name;  ///< "0020_runs"
  std::string_view text;
};

/// The migrations of a module from its embedded files (the span of cmake/SluiceEmbed.cmake). Names
/// not of the form NNNN_name.sql: CHECK.
template <typename Files>
std::vector<Migration> MigrationsFromFiles(const Files& files);
/// One of them. "migrations/0020_runs.sql" → {20, "0020_runs", text}.
Migration MigrationFromFile(std::string_view file_name, std::string_view text);

struct MigrateOptions {
  /// Where to copy a database that holds data before changing its schema; empty: no copy. Replaced
  /// if it is there.
  std::string backup_path;
};

/// Applies in order of number what is not applied yet, each in its own transaction, recorded with
/// checksum and time in schema_migrations. `migrations` are those of all modules that share the
/// database. Returns how many were applied: 0, after one small read, when there is nothing to do.
/// Safe when several processes do it at once. Errors: kFailedPrecondition if an applied migration
/// is unknown here (a newer Sluice wrote the database) or its text differs from what was applied;
/// kInvalidArgument if two share a number; those of the statements.
Result<int> Migrate(Db& db, std::vector<Migration> migrations, Clock& clock = SystemClock(),
                    const MigrateOptions& options = {});

template <typename Files>
std::vector<Migration> MigrationsFromFiles(const Files& files) {
  std::vector<Migration> migrations;
  for (const auto& file : files) migrations.push_back(MigrationFromFile(file.name, file.content));
  return migrations;
}

}  // namespace sluice::sql
