// Users, roles and permissions as MLflow's basic-auth keeps them.
#include "app/mlflow_export/exporter.h"
#include "app/mlflow_export/schema.h"
#include "auth/bulk_writer.h"

namespace sluice::app::mlflow_export {
namespace {

using sql::Query;
using sql::Reader;
using sql::Tx;

constexpr Query kUser{
    "export.users",
    "INSERT INTO users (id, username, password_hash, is_admin) VALUES ($1, $2, $3, $4)"};
constexpr Query kRole{
    "export.roles",
    "INSERT INTO roles (id, name, workspace, description) VALUES ($1, $2, 'default', $3)"};
constexpr Query kGrant{"export.grants",
                       "INSERT INTO role_permissions (role_id, resource_type, resource_pattern, "
                       "permission) VALUES ($1, $2, $3, $4)"};
constexpr Query kAssignment{"export.assignments",
                            "INSERT INTO user_role_assignments (user_id, role_id) "
                            "SELECT u.id, $2 FROM users u WHERE u.username = $1"};

}  // namespace

Status ExportAuth(sql::Db& source, sql::Db& target) {
  ASSIGN_OR_RETURN(const auth::BulkAuth all,
                   source.Read([](Reader& reader) { return auth::ReadAllIn(reader); }));
  RETURN_IF_ERROR(MakeSchema(target, "auth_"));
  const Status written = target.Write([&](Tx& tx) -> Status {
    for (const auth::User& user : all.users) {
      RETURN_IF_ERROR(tx.Post(kUser, {user.id, user.username, user.password_hash, user.is_admin}));
    }
    int64_t role_id = 0;
    for (const auth::BulkRole& role : all.roles) {
      RETURN_IF_ERROR(tx.Post(kRole, {++role_id, role.name, role.description}));
      for (const auth::Grant& grant : role.grants) {
        // MLflow 3.17 does not read NO_PERMISSIONS of older grants; DENY is what still withholds.
        const auth::Permission permission = grant.permission == auth::Permission::kNoPermissions
                                                ? auth::Permission::kDeny
                                                : grant.permission;
        RETURN_IF_ERROR(tx.Post(kGrant, {role_id, grant.resource_type, grant.resource_pattern,
                                         auth::PermissionName(permission)}));
      }
      for (const std::string& username : role.usernames)
        RETURN_IF_ERROR(tx.Post(kAssignment, {username, role_id}));
    }
    return Ok();
  });
  RETURN_IF_ERROR(written);
  RETURN_IF_ERROR(SetNextNumber(target, "users", "id"));
  return SetNextNumber(target, "roles", "id");
}

}  // namespace sluice::app::mlflow_export
