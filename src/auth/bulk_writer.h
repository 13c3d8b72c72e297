// The door for importers: users and roles as they are in another store. Names are not checked
// against the rules for new ones, and what is here already stays as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "auth/user.h"
#include "base/result.h"
#include "sql/db.h"

namespace sluice::auth {

struct BulkRole {
  std::string name;                        ///< not looked at if it is a personal one
  std::optional<std::string> personal_of;  ///< the user whose personal grants it holds
  std::optional<std::string> description;
  std::vector<Grant> grants;
  std::vector<std::string> usernames;  ///< who has it; not of personal ones
};

// Both belong into a write transaction of the caller. Adding the same again changes nothing.
// Errors: those of sql::Tx.

/// By username, with their hashes; ids are given anew.
Status AddUsersIn(sql::Tx& tx, std::span<const User> users, int64_t now_ms);
/// By name, after the users. Where a role says something about a resource already, that stays. How
/// many roles and assignments were left out because their user is not here.
Result<int64_t> AddRolesIn(sql::Tx& tx, std::span<const BulkRole> roles);

/// How many of these are here: users with their hash, roles, grants with their permission.
struct BulkCounts {
  int64_t users = 0;
  int64_t roles = 0;
  int64_t grants = 0;
};
Result<BulkCounts> CountIn(sql::Reader& reader, std::span<const User> users,
                           std::span<const BulkRole> roles);

/// All users by id, and all roles with whom they belong to.
struct BulkAuth {
  std::vector<User> users;
  std::vector<BulkRole> roles;
};
Result<BulkAuth> ReadAllIn(sql::Reader& reader);

}  // namespace sluice::auth
