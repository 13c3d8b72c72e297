// `sluice auth ...`: users and tokens at the database itself, for whoever is locked out of the
// server, and for scripts that set one up.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "app/cli/command.h"
#include "app/store_database.h"
#include "auth/config.h"
#include "auth/password.h"
#include "auth/store.h"
#include "base/clock.h"
#include "formats/duration.h"
#include "formats/json.h"

namespace sluice::app {

namespace {

using formats::Json;

const CliOption kBackendStore = {.name = "backend-store-uri",
                                 .value = "URI",
                                 .help = "the server's database",
                                 .default_value = "sqlite:///sluice.db",
                                 .variable = "MLFLOW_BACKEND_STORE_URI"};
const CliOption kPasswordStdin = {
    .name = "password-stdin",
    .value = "",
    .help = "read the password from standard input; else one is made up and printed"};

/// The users' database, where the server would look for it.
struct UserDatabase {
  std::unique_ptr<sql::Db> db;
  std::unique_ptr<auth::PasswordHasher> hasher;
  std::unique_ptr<auth::Store> store;
};

Result<UserDatabase> OpenUsers(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auth::Config config,
                   auth::LoadConfig([](std::string_view name) -> std::optional<std::string> {
                     const char* value = std::getenv(std::string(name).c_str());
                     if (!value) return std::nullopt;
                     return value;
                   }));
  UserDatabase users;
  ASSIGN_OR_RETURN(
      users.db, OpenStoreDatabase(config.database_uri.empty() ? arguments.Get("backend-store-uri")
                                                              : config.database_uri));
  users.hasher = std::make_unique<auth::PasswordHasher>();
  users.store = std::make_unique<auth::Store>(*users.db, *users.hasher);
  return users;
}

struct ChosenPassword {
  std::string text;
  bool is_made_up = false;
};

/// Never from the command line, where everybody on the machine could read it.
Result<ChosenPassword> ChoosePassword(const Arguments& arguments) {
  if (!arguments.Has("password-stdin")) {
    return ChosenPassword{.text = auth::NewPassword(), .is_made_up = true};
  }
  ChosenPassword password;
  std::getline(std::cin, password.text);
  if (password.text.ends_with('\r')) password.text.pop_back();
  RETURN_IF_ERROR(auth::CheckPassword(password.text));
  return password;
}

void PrintDone(const Arguments& arguments, std::string_view done, const std::string& username,
               const ChosenPassword& password) {
  if (arguments.Has("json")) {
    Json json = Json::MakeObject({{"username", username}});
    if (password.is_made_up) json["password"] = password.text;
    fmt::print("{}\n", formats::PrintJson(json));
    return;
  }
  fmt::print("{}\n", done);
  if (password.is_made_up) {
    fmt::print("  password: {}\n  it is not shown again\n", password.text);
  }
}

Result<int> RunCreateUser(const Arguments& arguments) {
  const std::string username = arguments.Positional(0);
  ASSIGN_OR_RETURN(const ChosenPassword password, ChoosePassword(arguments));
  ASSIGN_OR_RETURN(const UserDatabase users, OpenUsers(arguments));
  RETURN_IF_ERROR(users.store->CreateUser(
      {.username = username, .password = password.text, .is_admin = arguments.Has("admin")}));
  PrintDone(
      arguments,
      fmt::format("{} '{}' was made", arguments.Has("admin") ? "administrator" : "user", username),
      username, password);
  return 0;
}

Result<int> RunResetPassword(const Arguments& arguments) {
  const std::string username = arguments.Positional(0);
  ASSIGN_OR_RETURN(const ChosenPassword password, ChoosePassword(arguments));
  ASSIGN_OR_RETURN(const UserDatabase users, OpenUsers(arguments));
  auth::UserChange change = {.password = password.text};
  if (arguments.Has("admin")) change.is_admin = true;
  RETURN_IF_ERROR(users.store->UpdateUser(username, change));
  PrintDone(arguments, fmt::format("user '{}' has another password", username), username, password);
  return 0;
}

Result<int> RunCreateToken(const Arguments& arguments) {
  auth::NewToken token = {.name = arguments.Get("name")};
  token.scope.is_read_only = arguments.Has("read-only");
  token.scope.is_admin = arguments.Has("admin");
  std::vector<auth::ResourceKey> only;
  for (const std::string& id : arguments.GetAll("experiment")) {
    only.push_back({std::string(auth::kExperiment), id});
  }
  for (const std::string& name : arguments.GetAll("model")) {
    only.push_back({std::string(auth::kRegisteredModel), name});
  }
  if (!only.empty()) token.scope.only = std::move(only);
  if (const std::string life = arguments.Get("expires-in"); life != "never") {
    Result<int64_t> life_ms = formats::ParseDurationMs(life);
    if (!life_ms.ok()) return std::move(life_ms).error().With("--expires-in");
    token.expires_ms = SystemClock().NowMs() + *life_ms;
  }
  ASSIGN_OR_RETURN(const UserDatabase users, OpenUsers(arguments));
  ASSIGN_OR_RETURN(const auth::User user, users.store->GetUser(arguments.Positional(0)));
  if (token.scope.is_admin && !user.is_admin) {
    return InvalidArgument(
        fmt::format("user '{}' is no administrator, so neither can a token be", user.username));
  }
  ASSIGN_OR_RETURN(const auth::IssuedToken issued, users.store->CreateToken(user.id, token));
  if (arguments.Has("json")) {
    fmt::print("{}\n", formats::PrintJson(
                           Json::MakeObject({{"id", issued.token.id}, {"secret", issued.secret}})));
  } else {
    fmt::print("export MLFLOW_TRACKING_TOKEN={}\n  token {} is not shown again\n", issued.secret,
               issued.token.id);
  }
  return 0;
}

constexpr std::string_view kDetails =
    "Works on the database itself, so it needs no password; a server that runs sees the change "
    "within a second. The\ndatabase is --backend-store-uri, or database_uri of the file that "
    "MLFLOW_AUTH_CONFIG_PATH names.";

}  // namespace

Command MakeAuthCreateUserCommand() {
  return {.name = "auth create-user",
          .summary = "make a user of the server",
          .details = kDetails,
          .positionals = {{"USERNAME", "who"}},
          .options = {kBackendStore,
                      {.name = "admin", .value = "", .help = "make an administrator"},
                      kPasswordStdin},
          .run = RunCreateUser};
}

Command MakeAuthResetPasswordCommand() {
  return {.name = "auth reset-password",
          .summary = "give a user of the server another password",
          .details = kDetails,
          .positionals = {{"USERNAME", "whose"}},
          .options = {kBackendStore,
                      {.name = "admin", .value = "", .help = "make the user administrator too"},
                      kPasswordStdin},
          .run = RunResetPassword};
}

Command MakeAuthCreateTokenCommand() {
  return {.name = "auth create-token",
          .summary = "make an API token for a user of the server",
          .details = kDetails,
          .positionals = {{"USERNAME", "whose"}},
          .options = {kBackendStore,
                      {.name = "name",
                       .value = "TEXT",
                       .help = "what it is for",
                       .default_value = "command line"},
                      {.name = "expires-in",
                       .value = "TIME",
                       .help = "30d, 12h, ... or never",
                       .default_value = "90d"},
                      {.name = "read-only", .value = "", .help = "for reading alone"},
                      {.name = "admin", .value = "", .help = "may administer, if its user may"},
                      {.name = "experiment",
                       .value = "ID",
                       .help = "for this experiment alone",
                       .is_repeatable = true},
                      {.name = "model",
                       .value = "NAME",
                       .help = "for this registered model alone",
                       .is_repeatable = true}},
          .run = RunCreateToken};
}

}  // namespace sluice::app
