#include "app/mlflow_import/auth_source.h"

#include <fmt/format.h>

#include <map>

#include "auth/password.h"

namespace sluice::app::mlflow_import {
namespace {

using auth::BulkRole;
using auth::Grant;
using sql::Query;
using sql::Reader;
using sql::Row;

constexpr Query kUsers{"import.users",
                       "SELECT id, username, password_hash, is_admin FROM users ORDER BY id"};
constexpr Query kRoles{"import.roles",
                       "SELECT id, name, description FROM roles WHERE workspace = $1 ORDER BY id"};
constexpr Query kGrants{
    "import.role_permissions",
    "SELECT role_id, resource_type, resource_pattern, permission FROM role_permissions "
    "ORDER BY id"};
constexpr Query kAssignments{
    "import.role_assignments",
    "SELECT role_id, user_id FROM user_role_assignments ORDER BY role_id, user_id"};

/// A table of the time before roles: who, on what, what.
struct OldTable {
  std::string_view name;
  std::string_view resource_type;
  std::string_view resource;  ///< an expression
};
constexpr OldTable kOldTables[] = {
    {"experiment_permissions", auth::kExperiment, "experiment_id"},
    {"registered_model_permissions", auth::kRegisteredModel, "name"},
    {"scorer_permissions", auth::kScorer, "experiment_id || '/' || scorer_name"},
};

std::string TextOf(const Row& row, int column) { return row.FindText(column).value_or(""); }

/// The grant, if there is such a one here.
std::optional<Grant> MakeGrant(std::string type, std::string pattern, const std::string& permission,
                               Notes& notes) {
  const Result<auth::Permission> known = auth::ParsePermission(permission);
  if (known.ok() && auth::FindResourceType(type) != nullptr)
    return Grant{std::move(type), std::move(pattern), *known};
  notes.Add("permissions that this server has no word for, left out",
            fmt::format("{} on {}", permission, type));
  return std::nullopt;
}

Status ReadRoles(Reader& reader, const std::string& workspace,
                 const std::map<int64_t, std::string>& names_by_id, AuthRecords& records,
                 Notes& notes) {
  std::map<int64_t, BulkRole> roles;
  RETURN_IF_ERROR(reader.ForEach(kRoles, {workspace}, [&](const Row& row) -> Status {
    BulkRole& role = roles[row.GetInt64(0)];
    role.name = row.GetText(1);
    role.description = row.FindText(2);
    return Ok();
  }));
  RETURN_IF_ERROR(reader.ForEach(kGrants, {}, [&](const Row& row) -> Status {
    auto role = roles.find(row.GetInt64(0));
    if (role == roles.end()) return Ok();
    if (auto grant = MakeGrant(row.GetText(1), row.GetText(2), row.GetText(3), notes))
      role->second.grants.push_back(*std::move(grant));
    return Ok();
  }));
  RETURN_IF_ERROR(reader.ForEach(kAssignments, {}, [&](const Row& row) -> Status {
    auto role = roles.find(row.GetInt64(0));
    auto name = names_by_id.find(row.GetInt64(1));
    if (role != roles.end() && name != names_by_id.end())
      role->second.usernames.push_back(name->second);
    return Ok();
  }));
  for (auto& [id, role] : roles) {
    // Its number is the user's there; here it will be another.
    if (auth::IsPersonalRoleName(role.name)) {
      if (role.usernames.empty()) continue;
      role.personal_of = role.usernames.front();
    }
    records.roles.push_back(std::move(role));
  }
  return Ok();
}

}  // namespace

Result<bool> HasAuthTables(sql::Db& db) { return db.HasTable("users"); }

Result<AuthRecords> ReadAuth(sql::Db& db, const std::string& workspace, Notes& notes) {
  ASSIGN_OR_RETURN(const bool has_users, HasAuthTables(db));
  if (!has_users) {
    return NotFound(fmt::format(
        "{} has no table 'users': name the database of MLflow's basic-auth (basic_auth.db)",
        db.description()));
  }
  ASSIGN_OR_RETURN(const bool has_roles, db.HasTable("roles"));
  std::vector<OldTable> old_tables;
  for (const OldTable& table : kOldTables) {
    ASSIGN_OR_RETURN(const bool is_there, db.HasTable(table.name));
    if (is_there && !has_roles) old_tables.push_back(table);
  }
  return db.Read([&](Reader& reader) -> Result<AuthRecords> {
    AuthRecords records;
    std::map<int64_t, std::string> names_by_id;
    RETURN_IF_ERROR(reader.ForEach(kUsers, {}, [&](const Row& row) -> Status {
      auth::User user{.username = TextOf(row, 1),
                      .password_hash = TextOf(row, 2),
                      .is_admin = row.FindInt64(3).value_or(0) != 0};
      if (!auth::IsKnownPasswordHash(user.password_hash)) {
        notes.Add("users whose password hash is of an unknown kind: they need a new password",
                  user.username);
      }
      names_by_id[row.GetInt64(0)] = user.username;
      records.users.push_back(std::move(user));
      return Ok();
    }));
    if (has_roles) {
      RETURN_IF_ERROR(ReadRoles(reader, workspace, names_by_id, records, notes));
      return records;
    }
    std::map<std::string, BulkRole> personal;
    for (const OldTable& table : old_tables) {
      const std::string text = fmt::format("SELECT user_id, {}, permission FROM {} ORDER BY 1, 2",
                                           table.resource, table.name);
      auto add = [&](const Row& row) -> Status {
        auto name = names_by_id.find(row.GetInt64(0));
        if (name == names_by_id.end()) return Ok();
        auto grant =
            MakeGrant(std::string(table.resource_type), row.GetText(1), TextOf(row, 2), notes);
        if (!grant) return Ok();
        BulkRole& role = personal[name->second];
        role.personal_of = name->second;
        role.grants.push_back(*std::move(grant));
        return Ok();
      };
      RETURN_IF_ERROR(reader.ForEach(Query{"import.old_permissions", text}, {}, add));
    }
    for (auto& [name, role] : personal) records.roles.push_back(std::move(role));
    return records;
  });
}

Status BringAuth(const AuthRecords& records, sql::Db& target, Notes& notes, Clock& clock) {
  ASSIGN_OR_RETURN(const int64_t left_out, target.Write([&](sql::Tx& tx) -> Result<int64_t> {
    RETURN_IF_ERROR(auth::AddUsersIn(tx, records.users, clock.NowMs()));
    return auth::AddRolesIn(tx, records.roles);
  }));
  if (left_out > 0) notes.Add("roles of users that are gone, left out", "", left_out);
  return Ok();
}

AuthCounts CountOf(const AuthRecords& records) {
  AuthCounts counts;
  counts.users = std::ssize(records.users);
  counts.roles = std::ssize(records.roles);
  for (const BulkRole& role : records.roles) counts.grants += std::ssize(role.grants);
  return counts;
}

Result<AuthCounts> CountInTarget(const AuthRecords& records, sql::Db& target) {
  return target.Read([&](Reader& reader) -> Result<AuthCounts> {
    ASSIGN_OR_RETURN(const auth::BulkCounts found,
                     auth::CountIn(reader, records.users, records.roles));
    return AuthCounts{.users = found.users, .roles = found.roles, .grants = found.grants};
  });
}

}  // namespace sluice::app::mlflow_import
