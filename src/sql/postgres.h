// PostgreSQL (13 and newer) over libpq.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "sql/db.h"

namespace sluice::sql {

struct PostgresOptions {
  /// Connections of this process, half of them for readers. Opened when needed.
  int connection_count = 16;
  /// How long a statement may run before it fails with kResourceExhausted; 0: as long as it takes.
  /// Migrations are not limited.
  int64_t statement_timeout_ms = 60'000;
  /// How long a writer waits for another before it fails with kUnavailable.
  int64_t lock_timeout_ms = 20'000;
  int64_t connect_timeout_s = 10;
};

/// A database of a server by a URI as libpq or SQLAlchemy spells it: postgresql://, postgres://,
/// postgresql+psycopg2:// (any driver's name), user:password@host:port/database, percent-encoded,
/// and libpq's keywords as query parameters (?sslmode=require&options=-csearch_path%3Dteam). What
/// is not given comes from libpq's environment variables and files. Tables live in the first schema
/// of the search path. The database's encoding must be UTF8.
///
/// Every write is durable (kFast too). A result is held in memory whole: page what is large.
/// Session state is used (prepared statements): behind PgBouncer choose session pooling.
///
/// Errors: kInvalidArgument (the URI, an unknown parameter), kUnavailable (no server there, it is
/// starting), kPermissionDenied (password), kNotFound (no such database or schema). No message and
/// no description() ever holds the password.
Result<std::unique_ptr<Db>> OpenPostgres(std::string_view uri, const PostgresOptions& options = {});

}  // namespace sluice::sql
