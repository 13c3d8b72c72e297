// Users, roles and permissions of MLflow's basic-auth, which lie in a database of their own or
// beside the rest.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/mlflow_import/notes.h"
#include "app/mlflow_import/tally.h"
#include "auth/bulk_writer.h"
#include "base/clock.h"
#include "sql/db.h"

namespace sluice::app::mlflow_import {

/// All of it: there are as many users as people.
struct AuthRecords {
  std::vector<auth::User> users;
  std::vector<auth::BulkRole> roles;  ///< personal ones too
};

Result<bool> HasAuthTables(sql::Db& db);

/// Since 3.17 from `role_permissions`, into which MLflow's migration copied the tables it had
/// before; in older databases from those. Roles of `workspace` alone. What this server has no word
/// for (permissions on gateways, say) is left out with a note. Errors: kNotFound without the table
/// of users.
Result<AuthRecords> ReadAuth(sql::Db& db, const std::string& workspace, Notes& notes);

/// Adds them. Adding the same again changes nothing.
Status BringAuth(const AuthRecords& records, sql::Db& target, Notes& notes, Clock& clock);

/// What of the records is in the target.
struct AuthCounts {
  int64_t users = 0;
  int64_t roles = 0;
  int64_t grants = 0;
};
AuthCounts CountOf(const AuthRecords& records);
Result<AuthCounts> CountInTarget(const AuthRecords& records, sql::Db& target);

}  // namespace sluice::app::mlflow_import
