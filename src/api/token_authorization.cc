#include "api/token_authorization.h"

#include "api/errors.h"
#include "base/check.h"

namespace sluice::api {

namespace {

/// Takes the same time wherever the texts differ.
bool EqualSecrets(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    const char other = b.empty() ? '\0' : b[i % b.size()];
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

class TokenAuthorization final : public Authorization {
 public:
  explicit TokenAuthorization(std::string token) : expected_("Bearer " + std::move(token)) {}

  Identity Identify(const http::Request& request) override {
    const std::string* field = request.headers.Find("Authorization");
    if (field && EqualSecrets(*field, expected_)) return {std::make_unique<OpenCaller>(), {}};
    http::Response refusal = ErrorAnswer(401, "UNAUTHENTICATED",
                                         "This server belongs to a run; its steps know the token "
                                         "(MLFLOW_TRACKING_TOKEN).");
    refusal.headers.Add("WWW-Authenticate", "Bearer");
    return {nullptr, std::move(refusal)};
  }

  std::optional<http::Response> Check(Services&, const Access&, Call&) override {
    return std::nullopt;
  }

 private:
  const std::string expected_;
};

}  // namespace

std::unique_ptr<Authorization> MakeTokenAuthorization(std::string token) {
  CHECK(!token.empty());
  return std::make_unique<TokenAuthorization>(std::move(token));
}

}  // namespace sluice::api
