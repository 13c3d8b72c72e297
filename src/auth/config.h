// The settings of `--app-name basic-auth`: MLflow's ini file and variables.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "auth/permission.h"
#include "auth/store.h"
#include "base/result.h"

namespace sluice::auth {

struct Config {
  Permission default_permission = Permission::kRead;
  std::string database_uri;  ///< empty: beside the runs, in the backend store's database
  std::string admin_username = "admin";
  std::string admin_password;  ///< empty: one is made up at the first start
  std::optional<int64_t> cache_ttl_s;
};

/// Reads the ini text: section [mlflow], keys default_permission, database_uri, admin_username,
/// admin_password, authorization_function, auth_cache_ttl_seconds; other keys that MLflow knows are
/// ignored. Pure. Errors: kInvalidArgument with file:line for what is no ini, a bad value, an
/// unknown key, or an authorization_function other than MLflow's own (that is Python code).
Result<Config> ParseConfig(std::string_view text, std::string_view file);

/// The file that MLFLOW_AUTH_CONFIG_PATH names, if it is set; then MLFLOW_AUTH_ADMIN_USERNAME and
/// MLFLOW_AUTH_ADMIN_PASSWORD win over it. `find_variable` is the environment.
Result<Config> LoadConfig(
    const std::function<std::optional<std::string>(std::string_view name)>& find_variable);

/// Makes the administrator if there is no user yet. The generated password, to be printed once, if
/// one had to be made up. Errors: those of Store::CreateUser (a configured password that is too
/// short).
struct FirstStart {
  bool is_admin_created = false;
  std::optional<std::string> generated_password;
};
Result<FirstStart> EnsureAdmin(Store& store, const Config& config);

}  // namespace sluice::auth
