#include "sql/internal/postgres_uri.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>

namespace sluice::sql::internal {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
struct FreeText {
  void operator()(char* text) const { PQfreemem(text); }
};

/// Cuts a password out of a message. libpq quotes the part of the URI that it does not understand,
/// and with a bad percent sign that may be the password.
std::string Without(std::string message, std::string_view secret) {
  if (secret.empty()) return message;
  for (size_t at = 0; (at = message.find(secret, at)) != std::string::npos; at += 3)
    message.replace(at, secret.size(), "***");
  return message;
}

/// The password as it stands in the URI, still encoded.
std::string_view PasswordIn(std::string_view rest) {
  std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return {};
  size_t colon = authority.find(':');
  return colon < at ? authority.substr(colon + 1, at - colon - 1) : std::string_view{};
}

std::string Describe(const PostgresAddress& address) {
  std::string user;
  std::string host;
  std::string port;
  std::string database;
  for (const auto& [keyword, value] : address.keywords) {
    if (keyword == "user") user = value + "@";
    if (keyword == "host") host = value;
    if (keyword == "port") port = ":" + value;
    if (keyword == "dbname") database = value;
  }
  return fmt::format("postgresql://{}{}{}/{}", user, host, port, database);
}

}  // namespace

Result<PostgresAddress> ParsePostgresUri(std::string_view uri) {
  size_t separator = uri.find("://");
  std::string_view scheme = uri.substr(0, separator);
  std::string_view engine = scheme.substr(0, scheme.find('+'));
  if (separator == std::string_view::npos || (engine != "postgresql" && engine != "postgres")) {
    return InvalidArgument(
        "a PostgreSQL database is named postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
  }
  std::string_view rest = uri.substr(separator + 3);
  std::string_view password = PasswordIn(rest);
  if (rest.find('\0') != std::string_view::npos)
    return InvalidArgument("the database's URI holds a NUL character");

  char* raw_message = nullptr;
  std::string plain = "postgresql://" + std::string(rest);
  std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(plain.c_str(), &raw_message));
  std::unique_ptr<char, FreeText> message(raw_message);
  if (options == nullptr) {
    std::string reason = message == nullptr ? "out of memory" : message.get();
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
    return InvalidArgument(fmt::format(
        "the database's URI cannot be read: {}; characters such as @ : / % in a user or password "
        "are written %40 %3A %2F %25",
        Without(std::move(reason), password)));
  }
  PostgresAddress address;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr && option->val[0] != '\0')
      address.keywords.emplace_back(option->keyword, option->val);
  }
  address.description = Describe(address);
  return address;
}

}  // namespace sluice::sql::internal
