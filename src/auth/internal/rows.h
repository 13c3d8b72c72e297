// What the sources of the store share; all inside a transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "auth/user.h"
#include "base/result.h"
#include "sql/db.h"

namespace sluice::auth::internal {

/// Columns id, username, password_hash, is_admin from `first` on.
User UserFromRow(const sql::Row& row, int first = 0);
Result<std::optional<User>> FindUserIn(sql::Reader& reader, std::string_view username);
/// Errors: kNotFound.
Result<User> GetUserIn(sql::Reader& reader, std::string_view username);

/// A permission's name in the database. Errors: kDataLoss for another text.
Result<Permission> PermissionFromText(std::string_view text);

}  // namespace sluice::auth::internal
