// MLflow's basic_auth.ini, read as Python's configparser reads it as far as such files go:
// sections, "key = value" or "key: value", indented continuation lines, comments on lines of their
// own, "%%" for a percent sign.
#include "auth/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/suggest.h"
#include "io/fs.h"

namespace sluice::auth {
namespace {

constexpr int64_t kConfigBytesMax = 1 << 20;
constexpr std::string_view kSection = "mlflow";
constexpr std::string_view kDefaultFunction = "mlflow.server.auth:authenticate_request_basic_auth";
/// The password that MLflow published in its ini until 3.16.
constexpr std::string_view kPublishedPassword = "password1234";
constexpr std::array<std::string_view, 11> kKeys = {
    "default_permission", "database_uri", "admin_username", "admin_password",
    "authorization_function", "auth_cache_ttl_seconds",
    // Known and without a meaning here.
    "auth_cache_max_size", "grant_default_workspace_access", "workspace_cache_max_size",
    "workspace_cache_ttl_seconds", "read_database_uri"};

struct Value {
  std::string text;
  int line = 0;
};
using Values = std::map<std::string, Value, std::less<>>;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::string Unescape(std::string_view text) {
  std::string value;
  for (size_t i = 0; i < text.size(); ++i) {
    value.push_back(text[i]);
    if (text[i] == '%' && i + 1 < text.size() && text[i + 1] == '%') ++i;
  }
  return value;
}

Error ErrorAt(std::string_view file, int line, std::string message) {
  return InvalidArgument(std::move(message)).At({.file = std::string(file), .line = line});
}

/// The values of section [mlflow]; those of other sections are nobody's business here.
Result<Values> ReadIni(std::string_view text, std::string_view file) {
  Values values;
  std::string section;
  Value* last = nullptr;
  int number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    const std::string_view content = Trim(line);
    if (content.empty() || content[0] == '#' || content[0] == ';') continue;
    if ((line[0] == ' ' || line[0] == '\t') && last) {
      last->text += '\n' + Unescape(content);
      continue;
    }
    if (content[0] == '[') {
      if (content.back() != ']') {
        return ErrorAt(file, number, fmt::format("'{}' is no section header", content));
      }
      section = content.substr(1, content.size() - 2);
      last = nullptr;
      continue;
    }
    const size_t separator = content.find_first_of("=:");
    if (separator == std::string_view::npos || separator == 0) {
      return ErrorAt(file, number, fmt::format("'{}' is no 'key = value'", content));
    }
    if (section.empty()) {
      return ErrorAt(file, number, "this line stands before any section; expected [mlflow]");
    }
    std::string key(Trim(content.substr(0, separator)));
    std::transform(key.begin(), key.end(), key.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (section != kSection) {
      last = nullptr;
      continue;
    }
    if (values.contains(key)) {
      return ErrorAt(file, number, fmt::format("'{}' is set twice", key));
    }
    last = &(values[key] = {Unescape(Trim(content.substr(separator + 1))), number});
  }
  return values;
}

}  // namespace

Result<Config> ParseConfig(std::string_view text, std::string_view file) {
  ASSIGN_OR_RETURN(const Values values, ReadIni(text, file));
  Config config;
  for (const auto& [key, value] : values) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      const std::vector<std::string> known(kKeys.begin(), kKeys.end());
      return ErrorAt(file, value.line,
                     fmt::format("unknown setting '{}'{}", key, DidYouMean(key, known)));
    }
    if (key == "default_permission") {
      Result<Permission> permission = ParsePermission(value.text);
      if (permission.ok() && *permission == Permission::kDeny) {
        permission = InvalidArgument(
            "default_permission cannot be DENY, which nothing could lift; use NO_PERMISSIONS");
      }
      if (!permission.ok()) return ErrorAt(file, value.line, permission.error().message());
      config.default_permission = *permission;
    } else if (key == "database_uri") {
      config.database_uri = value.text;
    } else if (key == "admin_username") {
      if (!value.text.empty()) config.admin_username = value.text;
    } else if (key == "admin_password") {
      config.admin_password = value.text;
    } else if (key == "authorization_function") {
      if (value.text != kDefaultFunction) {
        return ErrorAt(file, value.line,
                       fmt::format("authorization_function '{}' is Python code, which this server "
                                   "does not run; remove the line (users then sign in with "
                                   "passwords or API tokens), or put a proxy that knows your users "
                                   "in front",
                                   value.text));
      }
    } else if (key == "auth_cache_ttl_seconds") {
      int64_t seconds = -1;
      const char* end = value.text.data() + value.text.size();
      if (std::from_chars(value.text.data(), end, seconds).ptr != end || seconds < 0 ||
          seconds > 86'400) {
        return ErrorAt(
            file, value.line,
            fmt::format("auth_cache_ttl_seconds is '{}'; expected 0 to 86400 seconds", value.text));
      }
      config.cache_ttl_s = seconds;
    }
  }
  return config;
}

Result<Config> LoadConfig(
    const std::function<std::optional<std::string>(std::string_view name)>& find_variable) {
  Config config;
  const std::optional<std::string> path = find_variable("MLFLOW_AUTH_CONFIG_PATH");
  if (path && !path->empty()) {
    Result<std::string> text = io::RealFs().ReadFile(*path, kConfigBytesMax);
    if (!text.ok()) {
      return std::move(text).error().With("read the settings that MLFLOW_AUTH_CONFIG_PATH names");
    }
    ASSIGN_OR_RETURN(config, ParseConfig(*text, *path));
  }
  if (const auto name = find_variable("MLFLOW_AUTH_ADMIN_USERNAME"); name && !name->empty()) {
    config.admin_username = *name;
  }
  // Set but empty counts as set: a secret that failed to be injected must not fall back to an old
  // one in the file.
  if (const auto password = find_variable("MLFLOW_AUTH_ADMIN_PASSWORD")) {
    config.admin_password = *password;
  }
  return config;
}

Result<FirstStart> EnsureAdmin(Store& store, const Config& config) {
  FirstStart start;
  ASSIGN_OR_RETURN(const bool has_users, store.HasUsers());
  if (has_users) return start;
  if (config.admin_password == kPublishedPassword) {
    return InvalidArgument(fmt::format(
        "the password configured for the first administrator '{}' is the one that older MLflow "
        "versions published in basic_auth.ini; set MLFLOW_AUTH_ADMIN_PASSWORD or admin_password to "
        "another one, or leave both out to have one made up and printed once",
        config.admin_username));
  }
  std::string password = config.admin_password;
  if (password.empty()) {
    password = NewPassword();
  } else if (Status status = CheckPassword(password); !status.ok()) {
    return std::move(status).error().With(
        fmt::format("the password configured for the first administrator '{}' "
                    "(MLFLOW_AUTH_ADMIN_PASSWORD or admin_password)",
                    config.admin_username));
  }
  ASSIGN_OR_RETURN(const std::optional<User> user,
                   store.CreateFirstAdmin(config.admin_username, password));
  start.is_admin_created = user.has_value();
  if (user && config.admin_password.empty()) start.generated_password = password;
  return start;
}

}  // namespace sluice::auth
