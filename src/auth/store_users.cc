// Users. The hash is made before the transaction begins: it takes as long as thousands of writes.
#include <fmt/format.h>

#include "auth/internal/rows.h"
#include "auth/store.h"
#include "sluice_auth_embedded.h"

namespace sluice::auth {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

namespace {

constexpr Query kFindUser{
    "auth.find_user",
    "SELECT id, username, password_hash, is_admin FROM auth_users WHERE username = $1"};
constexpr Query kFindUserById{
    "auth.find_user_by_id",
    "SELECT id, username, password_hash, is_admin FROM auth_users WHERE id = $1"};
constexpr Query kListUsers{
    "auth.list_users", "SELECT id, username, password_hash, is_admin FROM auth_users ORDER BY id"};
constexpr Query kHasUsers{"auth.has_users", "SELECT 1 FROM auth_users LIMIT 1"};
constexpr Query kInsertUser{
    "auth.insert_user",
    "INSERT INTO auth_users (username, password_hash, is_admin, created_ms, updated_ms) "
    "VALUES ($1, $2, $3, $4, $4) RETURNING id"};
constexpr Query kUpdateUser{
    "auth.update_user",
    "UPDATE auth_users SET password_hash = $2, is_admin = $3, updated_ms = $4 WHERE id = $1"};
constexpr Query kDeleteUser{"auth.delete_user", "DELETE FROM auth_users WHERE id = $1"};
constexpr Query kDeletePersonalRole{"auth.delete_personal_role",
                                    "DELETE FROM auth_roles WHERE name = $1"};
constexpr Query kFindOtherAdmin{"auth.find_other_admin",
                                "SELECT id FROM auth_users WHERE is_admin = 1 AND id <> $1 "
                                "ORDER BY id LIMIT 1"};

int64_t IdFromRow(const Row& row) { return row.GetInt64(0); }

Result<User> InsertUserIn(Tx& tx, User user, int64_t now_ms) {
  Result<std::optional<int64_t>> id = tx.FindOne(
      kInsertUser, {user.username, user.password_hash, user.is_admin, now_ms}, IdFromRow);
  if (!id.ok()) {
    if (id.error().code() != ErrorCode::kAlreadyExists) return std::move(id).error();
    return AlreadyExists(fmt::format("User (username={}) already exists.", user.username));
  }
  user.id = id->value_or(0);
  return user;
}

Status CheckOtherAdminIn(Reader& reader, const User& user) {
  ASSIGN_OR_RETURN(const std::optional<int64_t> other,
                   reader.FindOne(kFindOtherAdmin, {user.id}, IdFromRow));
  if (other) return Ok();
  return FailedPrecondition(
      fmt::format("User '{}' is the only administrator. Make another user administrator first.",
                  user.username));
}

}  // namespace

namespace internal {

User UserFromRow(const Row& row, int first) {
  return {.id = row.GetInt64(first),
          .username = row.GetText(first + 1),
          .password_hash = row.GetText(first + 2),
          .is_admin = row.GetBool(first + 3)};
}

Result<std::optional<User>> FindUserIn(Reader& reader, std::string_view username) {
  return reader.FindOne(kFindUser, {username}, [](const Row& row) { return UserFromRow(row); });
}

Result<User> GetUserIn(Reader& reader, std::string_view username) {
  ASSIGN_OR_RETURN(std::optional<User> user, FindUserIn(reader, username));
  if (!user) return NotFound(fmt::format("User with username={} not found", username));
  return *std::move(user);
}

}  // namespace internal

using internal::GetUserIn;
using internal::UserFromRow;

Result<User> Store::CreateUser(const NewUser& user) {
  RETURN_IF_ERROR(CheckUsername(user.username));
  RETURN_IF_ERROR(CheckPassword(user.password));
  // A taken name is told without the work of hashing.
  ASSIGN_OR_RETURN(const std::optional<User> taken, FindUser(user.username));
  if (taken) {
    return AlreadyExists(fmt::format("User (username={}) already exists.", user.username));
  }
  ASSIGN_OR_RETURN(const std::string hash, hasher_.Hash(user.password));
  return ImportUser(user.username, hash, user.is_admin);
}

Result<User> Store::ImportUser(std::string_view username, std::string_view password_hash,
                               bool is_admin) {
  RETURN_IF_ERROR(CheckUsername(username));
  if (!IsKnownPasswordHash(password_hash)) {
    return InvalidArgument(fmt::format(
        "the password hash of user '{}' is neither scrypt nor pbkdf2 as werkzeug writes them; "
        "give the user a new password",
        username));
  }
  Result<User> user = db_.Write([&](Tx& tx) {
    return InsertUserIn(tx,
                        {.username = std::string(username),
                         .password_hash = std::string(password_hash),
                         .is_admin = is_admin},
                        clock_.NowMs());
  });
  if (user.ok()) Changed();
  return user;
}

Result<std::optional<User>> Store::CreateFirstAdmin(std::string_view username,
                                                    std::string_view password) {
  RETURN_IF_ERROR(CheckUsername(username));
  RETURN_IF_ERROR(CheckPassword(password));
  ASSIGN_OR_RETURN(const std::string hash, hasher_.Hash(password));
  Result<std::optional<User>> user = db_.Write([&](Tx& tx) -> Result<std::optional<User>> {
    ASSIGN_OR_RETURN(const std::optional<int64_t> any, tx.FindOne(kHasUsers, {}, IdFromRow));
    if (any) return std::optional<User>();
    ASSIGN_OR_RETURN(
        User made,
        InsertUserIn(tx,
                     {.username = std::string(username), .password_hash = hash, .is_admin = true},
                     clock_.NowMs()));
    return std::optional(std::move(made));
  });
  // Two replicas that start together both see an empty table; one of them inserts.
  if (!user.ok() && user.error().code() == ErrorCode::kAlreadyExists) return std::optional<User>();
  if (user.ok()) Changed();
  return user;
}

Result<bool> Store::HasUsers() {
  return db_.Read([&](Reader& reader) -> Result<bool> {
    ASSIGN_OR_RETURN(const std::optional<int64_t> any, reader.FindOne(kHasUsers, {}, IdFromRow));
    return any.has_value();
  });
}

Result<User> Store::GetUser(std::string_view username) {
  return db_.Read([&](Reader& reader) { return GetUserIn(reader, username); });
}

Result<std::optional<User>> Store::FindUser(std::string_view username) {
  return db_.Read([&](Reader& reader) { return internal::FindUserIn(reader, username); });
}

Result<std::optional<User>> Store::FindUserById(int64_t user_id) {
  return db_.Read([&](Reader& reader) {
    return reader.FindOne(kFindUserById, {user_id},
                          [](const Row& row) { return UserFromRow(row); });
  });
}

Result<std::vector<User>> Store::ListUsers() {
  return db_.Read([&](Reader& reader) {
    return reader.FindAll(kListUsers, {}, [](const Row& row) { return UserFromRow(row); });
  });
}

Result<User> Store::UpdateUser(std::string_view username, const UserChange& change) {
  std::string hash;
  if (change.password) {
    RETURN_IF_ERROR(CheckPassword(*change.password));
    RETURN_IF_ERROR(GetUser(username));
    ASSIGN_OR_RETURN(hash, hasher_.Hash(*change.password));
  }
  Result<User> user = db_.Write([&](Tx& tx) -> Result<User> {
    ASSIGN_OR_RETURN(User changed, GetUserIn(tx, username));
    if (change.password) changed.password_hash = hash;
    if (change.is_admin) {
      if (changed.is_admin && !*change.is_admin) RETURN_IF_ERROR(CheckOtherAdminIn(tx, changed));
      changed.is_admin = *change.is_admin;
    }
    RETURN_IF_ERROR(tx.Execute(
        kUpdateUser, {changed.id, changed.password_hash, changed.is_admin, clock_.NowMs()}));
    return changed;
  });
  if (user.ok()) Changed();
  return user;
}

Status Store::DeleteUser(std::string_view username) {
  const Status status = db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(const User user, GetUserIn(tx, username));
    if (user.is_admin) RETURN_IF_ERROR(CheckOtherAdminIn(tx, user));
    RETURN_IF_ERROR(tx.Execute(kDeletePersonalRole, {PersonalRoleName(user.id)}));
    RETURN_IF_ERROR(tx.Execute(kDeleteUser, {user.id}));
    return Ok();
  });
  if (status.ok()) Changed();
  return status;
}

std::vector<sql::Migration> Migrations() {
  return sql::MigrationsFromFiles(embedded::EmbeddedFiles());
}

}  // namespace sluice::auth
