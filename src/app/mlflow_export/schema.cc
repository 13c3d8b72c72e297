#include "app/mlflow_export/schema.h"

#include <fmt/format.h>

#include "sluice_app_embedded.h"

namespace sluice::app::mlflow_export {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kIsServer{"export.is_server", "SELECT 0", "SELECT 1"};

Result<bool> IsServer(sql::Db& db) {
  return db.Read([](Reader& reader) -> Result<bool> {
    ASSIGN_OR_RETURN(auto is_server,
                     reader.FindOne(kIsServer, {}, [](const Row& row) { return row.GetBool(0); }));
    return is_server.value_or(false);
  });
}

}  // namespace

Status MakeSchema(sql::Db& target, std::string_view prefix) {
  for (const char* table : {"alembic_version", "experiments", "schema_migrations", "users"}) {
    ASSIGN_OR_RETURN(const bool is_there, target.HasTable(table));
    if (!is_there) continue;
    return FailedPrecondition(
        fmt::format("{} is not empty (it has a table '{}'): an export makes a new database",
                    target.description(), table));
  }
  ASSIGN_OR_RETURN(const bool is_server, IsServer(target));
  const std::string file =
      fmt::format("mlflow_export/schema/{}{}.sql", prefix, is_server ? "postgres" : "sqlite");
  for (const embedded::EmbeddedFile& embedded_file : embedded::EmbeddedFiles()) {
    if (embedded_file.name != file) continue;
    return target.Write([&](Tx& tx) { return tx.RunScript(file, embedded_file.content); });
  }
  return Internal(fmt::format("the program lacks {}", file));
}

Status SetNextNumber(sql::Db& target, std::string_view table, std::string_view column) {
  ASSIGN_OR_RETURN(const bool is_server, IsServer(target));
  if (!is_server) return Ok();
  const std::string text = fmt::format(
      "SELECT setval(pg_get_serial_sequence('{0}', '{1}'), (SELECT COALESCE(MAX({1}), 0) + 1 "
      "FROM {0}), false)",
      table, column);
  return target.Write([&](Tx& tx) {
    return tx.ForEach(Query{"export.set_next_number", text}, {}, [](const Row&) { return Ok(); });
  });
}

}  // namespace sluice::app::mlflow_export
