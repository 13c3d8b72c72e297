// Addresses of PostgreSQL databases.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sluice::sql::internal {

struct PostgresAddress {
  /// libpq's keywords and their values, those given only.
  std::vector<std::pair<std::string, std::string>> keywords;
  /// "postgresql://user@host:port/database", never with the password.
  std::string description;
};

/// See OpenPostgres. Pure. Errors: kInvalidArgument; the message does not hold the password.
Result<PostgresAddress> ParsePostgresUri(std::string_view uri);

}  // namespace sluice::sql::internal
