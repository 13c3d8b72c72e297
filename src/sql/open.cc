#include "sql/open.h"

#include <fmt/format.h>

#include "sql/postgres.h"
#include "sql/sqlite.h"

namespace sluice::sql {
namespace {

constexpr std::string_view kForms =
    "sqlite:///RELATIVE/PATH.db, sqlite:////ABSOLUTE/PATH.db or "
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE";

/// What stands behind "sqlite://".
Result<std::string> SqlitePath(std::string_view rest) {
  if (size_t question = rest.find('?'); question != std::string_view::npos) {
    return InvalidArgument(
        fmt::format("the SQLite URI has parameters, '{}', and none are known; leave them out",
                    rest.substr(question)));
  }
  if (rest.empty() || rest == "/" || rest == "/:memory:") return std::string(":memory:");
  if (rest[0] != '/') {
    return InvalidArgument(
        fmt::format("sqlite://{0} names a host, and SQLite has none: write sqlite:///{0} for a "
                    "relative path, sqlite:////{0} for an absolute one",
                    rest));
  }
  return std::string(rest.substr(1));
}

}  // namespace

Result<std::unique_ptr<Db>> OpenDatabase(std::string_view uri, const OpenOptions& options) {
  size_t separator = uri.find("://");
  if (separator == std::string_view::npos) {
    return InvalidArgument(fmt::format(
        "'{0}' is no database URI; for a file write sqlite:///{0}, else one of {1}", uri, kForms));
  }
  std::string_view scheme = uri.substr(0, separator);
  std::string_view engine = scheme.substr(0, scheme.find('+'));
  if (engine == "sqlite") {
    ASSIGN_OR_RETURN(std::string path, SqlitePath(uri.substr(separator + 3)));
    return OpenSqlite(path, {.reader_count = options.reader_count,
                             .minimum_durability = options.minimum_durability,
                             .is_read_only = options.is_read_only});
  }
  if (engine == "postgresql" || engine == "postgres") {
    return OpenPostgres(uri, {.connection_count = options.connection_count,
                              .statement_timeout_ms = options.statement_timeout_ms});
  }
  // The rest of the URI may hold a password.
  return InvalidArgument(
      fmt::format("databases of kind '{}' are not supported; write {}", scheme, kForms));
}

}  // namespace sluice::sql
