#include "sql/migrator.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/sha256.h"
#include "sql/fold_case.h"

namespace sluice::sql {
namespace {

constexpr Query kListApplied{"sql.list_migrations",
                             "SELECT number, name, checksum FROM schema_migrations"};
constexpr Query kFindApplied{"sql.find_migration",
                             "SELECT 1 FROM schema_migrations WHERE number = $1"};
constexpr Query kRecord{"sql.record_migration",
                        "INSERT INTO schema_migrations (number, name, checksum, applied_ms) "
                        "VALUES ($1, $2, $3, $4)"};
constexpr std::string_view kCreateTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms "
    "BIGINT NOT NULL)";

struct Applied {
  std::string name;
  std::string checksum;
};

Result<std::map<int, Applied>> ListApplied(Db& db) {
  std::map<int, Applied> applied;
  RETURN_IF_ERROR(db.Read([&](Reader& reader) {
    return reader.ForEach(kListApplied, {}, [&](const Row& row) -> Status {
      applied[static_cast<int>(row.GetInt64(0))] = {row.GetText(1), row.GetText(2)};
      return Ok();
    });
  }));
  return applied;
}

/// What is to be done: pure. Takes out of `migrations` (sorted) what is applied already.
Status KeepPending(std::vector<Migration>& migrations, const std::map<int, Applied>& applied,
                   const std::string& database) {
  for (const auto& [number, was] : applied) {
    auto known =
        std::find_if(migrations.begin(), migrations.end(),
                     [&](const Migration& migration) { return migration.number == number; });
    if (known == migrations.end()) {
      return FailedPrecondition(
          fmt::format("database '{}' was written by a newer Sluice: this program does not know its "
                      "migration {}; "
                      "use that version or a newer one",
                      database, was.name));
    }
    if (ComputeSha256(known->text).ToHex() != was.checksum) {
      return FailedPrecondition(fmt::format(
          "database '{}': migration {} was applied with another text than this program has ({}); a "
          "released migration never changes, so one of the two is not a release",
          database, was.name, known->name));
    }
    migrations.erase(known);
  }
  return Ok();
}

}  // namespace

Migration MigrationFromFile(std::string_view file_name, std::string_view text) {
  std::string_view base = file_name.substr(file_name.rfind('/') + 1);
  CHECK_MSG(base.size() > 9 && base.ends_with(".sql") && base[4] == '_', file_name);
  int number = 0;
  for (char digit : base.substr(0, 4)) {
    CHECK_MSG(digit >= '0' && digit <= '9', file_name);
    number = number * 10 + (digit - '0');
  }
  return {number, base.substr(0, base.size() - 4), text};
}

Result<int> Migrate(Db& db, std::vector<Migration> migrations, Clock& clock,
                    const MigrateOptions& options) {
  std::sort(migrations.begin(), migrations.end(),
            [](const Migration& a, const Migration& b) { return a.number < b.number; });
  for (size_t i = 1; i < migrations.size(); ++i) {
    if (migrations[i].number == migrations[i - 1].number) {
      return InvalidArgument(fmt::format("migrations {} and {} share a number",
                                         migrations[i - 1].name, migrations[i].name));
    }
  }

  ASSIGN_OR_RETURN(bool has_table, db.HasTable("schema_migrations"));
  if (has_table) {
    ASSIGN_OR_RETURN(auto applied, ListApplied(db));
    RETURN_IF_ERROR(KeepPending(migrations, applied, db.description()));
    if (migrations.empty()) return 0;
    if (!applied.empty() && !options.backup_path.empty() && db.can_back_up()) {
      RETURN_IF_ERROR(db.BackupTo(options.backup_path));
    }
  } else {
    Status created = db.Write([&](Tx& tx) -> Status {
      RETURN_IF_ERROR(tx.RunScript("create schema_migrations", kCreateTable));
      // SQLite has the function by its driver.
      return tx.RunScript("create fold_case", "/*postgres " + PostgresFoldCaseFunction() + " */");
    });
    RETURN_IF_ERROR(created);
  }

  int applied_count = 0;
  for (const Migration& migration : migrations) {
    Result<bool> did_apply = db.Write([&](Tx& tx) -> Result<bool> {
      // Another process may have been first.
      ASSIGN_OR_RETURN(auto found, tx.FindOne(kFindApplied, {migration.number},
                                              [](const Row&) { return true; }));
      if (found) return false;
      RETURN_IF_ERROR(tx.RunScript(migration.name, migration.text));
      RETURN_IF_ERROR(tx.Execute(kRecord, {migration.number, migration.name,
                                           ComputeSha256(migration.text).ToHex(), clock.NowMs()}));
      return true;
    });
    if (!did_apply.ok()) {
      return std::move(did_apply).error().With(
          fmt::format("migrate database '{}' to {}", db.description(), migration.name));
    }
    if (*did_apply) ++applied_count;
  }
  return applied_count;
}

}  // namespace sluice::sql
