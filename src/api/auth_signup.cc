// The sign-up form: the one page of ours that a browser sends back with the credentials it keeps.
// So it carries a token (auth/form_token.h), besides the check of origins that guards all writes.
#include <fmt/format.h>

#include "api/internal/auth_rows.h"
#include "auth/form_token.h"
#include "auth/store.h"
#include "http/target.h"

namespace sluice::api::internal {

namespace {

using http::Method;

constexpr std::string_view kPath = "/api/2.0/mlflow/users/create-ui";

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (char letter : text) {
    switch (letter) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped.push_back(letter);
    }
  }
  return escaped;
}

/// `body` is HTML. Nothing runs on the page and nobody may frame it.
Answer Page(int status, std::string_view body) {
  http::Response response = http::Response::Text(
      status, fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                          "<title>Sign up</title><style>"
                          "body{{font:16px/1.5 system-ui,sans-serif;max-width:24rem;margin:4rem "
                          "auto;padding:0 1rem}}label{{display:block;margin-top:1rem}}"
                          "input{{width:100%;padding:.5rem;box-sizing:border-box}}"
                          "button{{margin-top:1.5rem;padding:.5rem 1.5rem}}"
                          "</style></head><body>\n{}\n</body></html>\n",
                          body));
  response.content_type = "text/html; charset=utf-8";
  response.headers.Set("Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                       "frame-ancestors 'none'; base-uri 'none'");
  response.headers.Set("Cache-Control", "no-store");
  return Answer(std::move(response));
}

Answer Message(const Services& services, int status, std::string_view text) {
  return Page(status, fmt::format("<p>{}</p>\n<p><a href=\"{}/signup\">Back to the form</a></p>",
                                  EscapeHtml(text), EscapeHtml(services.options.static_prefix)));
}

Result<Answer> ShowForm(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const auth::User user, services.auth->GetUser(call.caller.username()));
  return Page(
      200,
      fmt::format(
          "<h1>New user</h1>\n<form action=\"{}\" method=\"post\" autocomplete=\"off\">\n"
          "<input type=\"hidden\" name=\"csrf_token\" value=\"{}\">\n"
          "<label>Username <input name=\"username\" required maxlength=\"255\"></label>\n"
          "<label>Password <input name=\"password\" type=\"password\" required minlength=\"12\" "
          "autocomplete=\"new-password\"></label>\n<button>Sign up</button>\n</form>",
          kPath, auth::MakeFormToken(user, services.clock->NowMs())));
}

Result<Answer> TakeForm(Services& services, Call& call) {
  const Result<http::MediaType> media = http::ParseMediaType(call.request.ContentType());
  if (!media.ok() || media->type != "application/x-www-form-urlencoded") {
    return Answer(http::Response::Text(
        400, "Invalid content type. Must be application/x-www-form-urlencoded"));
  }
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  ASSIGN_OR_RETURN(const Pairs pairs, http::ParseQuery(call.request.body));
  std::string username, password, token;
  for (const auto& [name, value] : pairs) {
    if (name == "username") username = value;
    if (name == "password") password = value;
    if (name == "csrf_token") token = value;
  }
  ASSIGN_OR_RETURN(const auth::User user, services.auth->GetUser(call.caller.username()));
  if (token.empty()) return Message(services, 400, "The CSRF token is missing.");
  if (!auth::IsFormToken(user, token, services.clock->NowMs())) {
    return Message(services, 400, "The CSRF token is invalid or has expired.");
  }
  if (username.empty() || password.empty()) {
    return Answer(http::Response::Text(400, "Username and password cannot be empty."));
  }
  const Result<auth::User> made =
      services.auth->CreateUser({.username = username, .password = password});
  if (made.ok())
    return Message(services, 200, fmt::format("Successfully signed up user: {}", username));
  if (made.error().code() == ErrorCode::kAlreadyExists) {
    return Message(services, 400, fmt::format("Username has already been taken: {}", username));
  }
  if (made.error().code() == ErrorCode::kInvalidArgument) {
    return Message(services, 400, made.error().message());
  }
  return made.error();
}

}  // namespace

std::vector<Endpoint> SignupRows() {
  const Access manages = Access::Needs(Level::kManage, TheWorkspace);
  return {
      {Method::kGet, "/signup", "users.signup", manages, ShowForm, Mount::kBare, BodyUse::kRaw},
      {Method::kPost, kPath, "users.create_ui", manages, TakeForm, Mount::kTwin, BodyUse::kRaw},
  };
}

}  // namespace sluice::api::internal
