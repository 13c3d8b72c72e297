// API tokens, which MLflow has not (docs/reference/auth.md). A token is made by whoever knows the
// password: a token that could make tokens would outlive its own end and scope.
#include <fmt/format.h>

#include "api/errors.h"
#include "api/internal/auth_rows.h"
#include "auth/store.h"
#include "base/clock.h"
#include "formats/duration.h"

namespace sluice::api::internal {

namespace {

using auth::ApiToken;
using formats::Json;
using http::Method;

constexpr int64_t kLifeDefaultMs = int64_t{90} * 86'400'000;

Json TimeJson(const std::optional<int64_t>& time_ms) { return time_ms ? Json(*time_ms) : Json(); }

Json TokenJson(const ApiToken& token) {
  Json json = Json::MakeObject({{"id", token.id},
                                {"name", token.name},
                                {"username", token.username},
                                {"read_only", token.scope.is_read_only},
                                {"admin", token.scope.is_admin},
                                {"created_time", token.created_ms},
                                {"expiration_time", TimeJson(token.expires_ms)},
                                {"revoked_time", TimeJson(token.revoked_ms)}});
  if (token.scope.only) {
    Json experiments = Json::MakeArray();
    Json models = Json::MakeArray();
    for (const auth::ResourceKey& key : *token.scope.only) {
      (key.type == auth::kExperiment ? experiments : models).Append(key.id);
    }
    json["experiment_ids"] = std::move(experiments);
    json["registered_models"] = std::move(models);
  }
  return json;
}

Result<std::optional<int64_t>> ReadEnd(const Fields& fields, int64_t now_ms) {
  const std::string life = fields.StringOr("expires_in");
  if (life.empty()) return std::optional<int64_t>(now_ms + kLifeDefaultMs);
  if (life == "never") return std::optional<int64_t>();
  Result<int64_t> life_ms = formats::ParseDurationMs(life);
  if (!life_ms.ok()) {
    return std::move(life_ms).error().With("expires_in (a time such as '30d', or 'never')");
  }
  return std::optional<int64_t>(now_ms + *life_ms);
}

Result<Answer> Create(Services& services, Call& call) {
  const Fields& fields = call.fields;
  const auth::Principal& principal = PrincipalOf(call);
  if (principal.token_id && !principal.CanAdminister()) {
    return Answer(ErrorAnswer(403, "PERMISSION_DENIED",
                              "A token cannot make tokens. Sign in with your password."));
  }
  auth::NewToken token;
  token.name = fields.RequireString("name");
  token.scope.is_read_only = fields.BoolOr("read_only", false);
  token.scope.is_admin = fields.BoolOr("admin", false);
  const std::string username = fields.StringOr("username", principal.username);
  std::vector<auth::ResourceKey> only;
  for (const std::string& id : fields.Strings("experiment_ids")) {
    only.push_back({std::string(auth::kExperiment), id});
  }
  for (const std::string& name : fields.Strings("registered_models")) {
    only.push_back({std::string(auth::kRegisteredModel), name});
  }
  if (fields.Has("experiment_ids") || fields.Has("registered_models")) token.scope.only = only;
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(token.expires_ms, ReadEnd(fields, services.clock->NowMs()));
  ASSIGN_OR_RETURN(const auth::User user, services.auth->GetUser(username));
  if (token.scope.is_admin && !user.is_admin) {
    return InvalidArgument(
        fmt::format("User '{}' is no administrator, so neither can a token be.", username));
  }
  ASSIGN_OR_RETURN(const auth::IssuedToken issued, services.auth->CreateToken(user.id, token));
  return Answer(Json::MakeObject({{"token", TokenJson(issued.token)}, {"secret", issued.secret}}));
}

Result<Answer> List(Services& services, Call& call) {
  const std::string username = call.fields.StringOr("username");
  RETURN_IF_ERROR(call.fields.status());
  std::optional<int64_t> user_id = PrincipalOf(call).user_id;
  if (!username.empty()) {
    ASSIGN_OR_RETURN(const auth::User user, services.auth->GetUser(username));
    user_id = user.id;
  } else if (call.caller.is_admin()) {
    user_id = std::nullopt;
  }
  ASSIGN_OR_RETURN(const std::vector<ApiToken> tokens, services.auth->ListTokens(user_id));
  Json list = Json::MakeArray();
  for (const ApiToken& token : tokens) list.Append(TokenJson(token));
  return Answer(Json::MakeObject({{"tokens", std::move(list)}}));
}

Result<Answer> Revoke(Services& services, Call& call) {
  const std::string id = call.fields.RequireString("token_id");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const ApiToken token, services.auth->GetToken(id));
  if (token.user_id != PrincipalOf(call).user_id && !call.caller.is_admin()) {
    return NotFound(fmt::format("Token with id={} not found", id));
  }
  RETURN_IF_ERROR(services.auth->RevokeToken(id));
  return Answer::Empty();
}

}  // namespace

std::vector<Endpoint> TokenRows() {
  const Access own = Access::Needs(Level::kManage, OwnUser);
  return {
      {Method::kPost, "/api/2.0/sluice/tokens/create", "tokens.create", own, Create},
      {Method::kGet, "/api/2.0/sluice/tokens/list", "tokens.list", own, List},
      {Method::kPost, "/api/2.0/sluice/tokens/revoke", "tokens.revoke", own, Revoke},
  };
}

}  // namespace sluice::api::internal
