// The embedded engine: SQLite in WAL mode.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "sql/db.h"

namespace sluice::sql {

struct SqliteOptions {
  /// How long a statement waits for another process before it fails with kUnavailable.
  int64_t busy_timeout_ms = 20'000;
  int64_t cache_size_bytes = int64_t{6} << 20;  ///< per connection
  int reader_count = 4;
  io::Durability minimum_durability = io::Durability::kFast;  ///< see Db::Options
  /// For another program's database: it must be there, and nothing can write to it.
  bool is_read_only = false;
};

/// Opens or creates the database file (its folder must exist), or with ":memory:" one that lives as
/// long as the Db. Any number of processes may have it open; not on a network file system (WAL
/// needs shared memory). Errors: kNotFound (no such folder), kPermissionDenied, kDataLoss (not a
/// database), kUnavailable (locked).
Result<std::unique_ptr<Db>> OpenSqlite(const std::string& path, const SqliteOptions& options = {});

}  // namespace sluice::sql
