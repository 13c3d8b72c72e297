// API tokens. A token is 256 random bits, so one SHA-256 is enough to keep it: there is nothing to
// guess, and the look-up is one read of an index.
#include <fmt/format.h>

#include "auth/internal/rows.h"
#include "auth/store.h"
#include "base/id.h"
#include "base/sha256.h"

namespace sluice::auth {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

namespace {

constexpr size_t kResourcesMax = 1000;

constexpr Query kInsertToken{
    "auth.insert_token",
    "INSERT INTO auth_tokens (id, secret_digest, user_id, name, is_read_only, is_admin, "
    "is_limited, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr Query kInsertResource{
    "auth.insert_token_resource",
    "INSERT INTO auth_token_resources (token_id, resource_type, resource_id) VALUES ($1, $2, $3) "
    "ON CONFLICT (token_id, resource_type, resource_id) DO NOTHING"};
constexpr Query kListTokens{
    "auth.list_tokens",
    "SELECT t.id, t.user_id, u.username, t.name, t.is_read_only, t.is_admin, t.is_limited, "
    "t.created_ms, t.expires_ms, t.revoked_ms FROM auth_tokens t "
    "JOIN auth_users u ON u.id = t.user_id ORDER BY t.created_ms, t.id"};
constexpr Query kListTokensOfUser{
    "auth.list_tokens_of_user",
    "SELECT t.id, t.user_id, u.username, t.name, t.is_read_only, t.is_admin, t.is_limited, "
    "t.created_ms, t.expires_ms, t.revoked_ms FROM auth_tokens t "
    "JOIN auth_users u ON u.id = t.user_id WHERE t.user_id = $1 ORDER BY t.created_ms, t.id"};
constexpr Query kFindToken{
    "auth.find_token",
    "SELECT t.id, t.user_id, u.username, t.name, t.is_read_only, t.is_admin, t.is_limited, "
    "t.created_ms, t.expires_ms, t.revoked_ms FROM auth_tokens t "
    "JOIN auth_users u ON u.id = t.user_id WHERE t.id = $1"};
constexpr Query kFindTokenByDigest{
    "auth.find_token_by_digest",
    "SELECT t.id, t.user_id, u.username, t.name, t.is_read_only, t.is_admin, t.is_limited, "
    "t.created_ms, t.expires_ms, t.revoked_ms, u.id, u.username, u.password_hash, u.is_admin "
    "FROM auth_tokens t JOIN auth_users u ON u.id = t.user_id WHERE t.secret_digest = $1"};
constexpr Query kListResources{
    "auth.list_token_resources",
    "SELECT resource_type, resource_id FROM auth_token_resources WHERE token_id = $1 "
    "ORDER BY resource_type, resource_id"};
constexpr Query kRevokeToken{
    "auth.revoke_token",
    "UPDATE auth_tokens SET revoked_ms = $2 WHERE id = $1 AND revoked_ms IS NULL"};

ApiToken TokenFromRow(const Row& row) {
  ApiToken token{.id = row.GetText(0),
                 .user_id = row.GetInt64(1),
                 .username = row.GetText(2),
                 .name = row.GetText(3),
                 .scope = {.is_read_only = row.GetBool(4), .is_admin = row.GetBool(5)},
                 .created_ms = row.GetInt64(7),
                 .expires_ms = row.FindInt64(8),
                 .revoked_ms = row.FindInt64(9)};
  if (row.GetBool(6)) token.scope.only.emplace();
  return token;
}

Status LoadResourcesIn(Reader& reader, ApiToken* token) {
  if (!token->scope.only) return Ok();
  ASSIGN_OR_RETURN(*token->scope.only,
                   reader.FindAll(kListResources, {token->id}, [](const Row& row) {
                     return ResourceKey{row.GetText(0), row.GetText(1)};
                   }));
  return Ok();
}

Result<ApiToken> GetTokenIn(Reader& reader, std::string_view token_id) {
  ASSIGN_OR_RETURN(std::optional<ApiToken> token,
                   reader.FindOne(kFindToken, {token_id}, TokenFromRow));
  if (!token) return NotFound(fmt::format("Token with id={} not found", token_id));
  RETURN_IF_ERROR(LoadResourcesIn(reader, &*token));
  return *std::move(token);
}

Status CheckNewToken(const NewToken& token, int64_t now_ms) {
  if (token.name.empty() || token.name.size() > 255) {
    return InvalidArgument(fmt::format(
        "Token name '{}' must have 1 to 255 bytes; say what the token is for.", token.name));
  }
  if (token.expires_ms && *token.expires_ms <= now_ms) {
    return InvalidArgument(fmt::format("Token '{}' would expire at {}, which is past (now is {}).",
                                       token.name, *token.expires_ms, now_ms));
  }
  if (!token.scope.only) return Ok();
  if (token.scope.only->empty() || token.scope.only->size() > kResourcesMax) {
    return InvalidArgument(
        fmt::format("Token '{}' is limited to {} resources; name 1 to {}, or none at all for a "
                    "token without that limit.",
                    token.name, token.scope.only->size(), kResourcesMax));
  }
  for (const ResourceKey& key : *token.scope.only) {
    if ((key.type != kExperiment && key.type != kRegisteredModel) || key.id.empty()) {
      return InvalidArgument(
          fmt::format("Token '{}' cannot be limited to {} '{}'; expected an experiment's id or a "
                      "registered model's name.",
                      token.name, key.type, key.id));
    }
  }
  if (token.scope.is_admin) {
    return InvalidArgument(fmt::format(
        "Token '{}' cannot be both an administrator's and limited to some resources.", token.name));
  }
  return Ok();
}

}  // namespace

bool LooksLikeToken(std::string_view text) {
  return text.size() == kTokenPrefix.size() + kTokenSecretLength && text.starts_with(kTokenPrefix);
}

Result<IssuedToken> Store::CreateToken(int64_t user_id, const NewToken& token) {
  const int64_t now_ms = clock_.NowMs();
  RETURN_IF_ERROR(CheckNewToken(token, now_ms));
  const std::string secret = std::string(kTokenPrefix) + NewRandomText(kTokenSecretLength);
  const std::string digest = ComputeSha256(secret).ToHex();
  const std::string id = NewRandomHex(16);
  Result<ApiToken> made = db_.Write([&](Tx& tx) -> Result<ApiToken> {
    RETURN_IF_ERROR(
        tx.Execute(kInsertToken,
                   {id, digest, user_id, token.name, token.scope.is_read_only, token.scope.is_admin,
                    token.scope.only.has_value(), now_ms, token.expires_ms}));
    if (token.scope.only) {
      for (const ResourceKey& key : *token.scope.only) {
        RETURN_IF_ERROR(tx.Execute(kInsertResource, {id, key.type, key.id}));
      }
    }
    return GetTokenIn(tx, id);
  });
  if (!made.ok()) return std::move(made).error();
  return IssuedToken{.token = *std::move(made), .secret = secret};
}

Result<std::vector<ApiToken>> Store::ListTokens(std::optional<int64_t> user_id) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<ApiToken>> {
    ASSIGN_OR_RETURN(std::vector<ApiToken> tokens,
                     user_id ? reader.FindAll(kListTokensOfUser, {*user_id}, TokenFromRow)
                             : reader.FindAll(kListTokens, {}, TokenFromRow));
    for (ApiToken& token : tokens) RETURN_IF_ERROR(LoadResourcesIn(reader, &token));
    return tokens;
  });
}

Result<ApiToken> Store::GetToken(std::string_view token_id) {
  return db_.Read([&](Reader& reader) { return GetTokenIn(reader, token_id); });
}

Status Store::RevokeToken(std::string_view token_id) {
  const Status status = db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetTokenIn(tx, token_id));
    RETURN_IF_ERROR(tx.Execute(kRevokeToken, {token_id, clock_.NowMs()}));
    return Ok();
  });
  if (status.ok()) Changed();
  return status;
}

Result<std::optional<std::pair<ApiToken, User>>> Store::FindToken(std::string_view secret) {
  using Found = std::optional<std::pair<ApiToken, User>>;
  if (!LooksLikeToken(secret)) return Found();
  const std::string digest = ComputeSha256(secret).ToHex();
  return db_.Read([&](Reader& reader) -> Result<Found> {
    ASSIGN_OR_RETURN(Found found, reader.FindOne(kFindTokenByDigest, {digest}, [](const Row& row) {
      return std::pair(TokenFromRow(row), internal::UserFromRow(row, 10));
    }));
    if (!found) return Found();
    const ApiToken& token = found->first;
    if (token.revoked_ms || (token.expires_ms && *token.expires_ms <= clock_.NowMs())) {
      return Found();
    }
    RETURN_IF_ERROR(LoadResourcesIn(reader, &found->first));
    return found;
  });
}

}  // namespace sluice::auth
