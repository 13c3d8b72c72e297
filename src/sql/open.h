// A database by its URI, whatever the engine.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "sql/db.h"

namespace sluice::sql {

struct OpenOptions {
  /// See Db::Options. The default is a server's; a run's own store may say kFast.
  io::Durability minimum_durability = io::Durability::kDurable;
  int connection_count = 16;              ///< PostgreSQL: see PostgresOptions
  int reader_count = 4;                   ///< SQLite: beside its one writer
  int64_t statement_timeout_ms = 60'000;  ///< PostgreSQL: see PostgresOptions
  bool is_read_only = false;              ///< SQLite: see SqliteOptions
};

/// Opens what `--backend-store-uri` names, as SQLAlchemy spells it:
///
///   sqlite:///relative/path.db    sqlite:////absolute/path.db    sqlite:// or sqlite:///:memory:
///   postgresql://user:password@host:port/database?sslmode=require   (see sql/postgres.h)
///
/// A query behind a SQLite path is refused, apart from none. Does not migrate. Errors:
/// kInvalidArgument for another scheme (mysql, mssql: the message says what can be used instead) or
/// a plain path; else those of OpenSqlite and OpenPostgres.
Result<std::unique_ptr<Db>> OpenDatabase(std::string_view uri, const OpenOptions& options = {});

}  // namespace sluice::sql
