// `sluice export mlflow`: a store of ours as a database that MLflow's own server serves.
#include <fmt/format.h>

#include <unistd.h>

#include "app/cli/command.h"
#include "app/mlflow_export/exporter.h"
#include "app/mlflow_import/print.h"
#include "app/mlflow_import/sql_source.h"
#include "app/mlflow_import/verify.h"
#include "app/store_database.h"
#include "io/fs.h"

namespace sluice::app {

namespace {

using mlflow_import::Comparison;
using mlflow_import::Notes;

constexpr sql::OpenOptions kOptions = {.minimum_durability = io::Durability::kFast,
                                       .connection_count = 2,
                                       .statement_timeout_ms = 3'600'000};

std::string UriOf(const std::string& given) {
  return given.find("://") == std::string::npos ? "sqlite:///" + given : given;
}

/// The file of a SQLite database, whose lock file is not MLflow's business.
Status RemoveLockFile(const std::string& uri) {
  constexpr std::string_view kPrefix = "sqlite:///";
  if (!uri.starts_with(kPrefix)) return Ok();
  return io::RealFs().Remove(uri.substr(kPrefix.size()) + "-turn");
}

Status ExportUsers(const Arguments& arguments, sql::Db& source) {
  std::unique_ptr<sql::Db> own;
  if (arguments.Has("auth-backend-store-uri")) {
    ASSIGN_OR_RETURN(own, OpenStoreDatabase(arguments.Get("auth-backend-store-uri"), kOptions));
  }
  const std::string uri = UriOf(arguments.Get("auth-uri"));
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<sql::Db> target, sql::OpenDatabase(uri, kOptions));
    RETURN_IF_ERROR(mlflow_export::ExportAuth(own ? *own : source, *target));
  }
  return RemoveLockFile(uri);
}

Result<int> RunExport(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<sql::Db> source,
                   OpenStoreDatabase(arguments.Get("backend-store-uri"), kOptions));
  const std::string uri = UriOf(arguments.Positional(0));
  Notes notes;
  mlflow_export::OnProgress on_progress;
  const bool is_quiet = arguments.Has("quiet") || arguments.Has("json") || isatty(2) == 0;
  if (!is_quiet) {
    on_progress = [](std::string_view what, int64_t count) {
      fmt::print(stderr, "\r{}: {}\x1b[K", what, count);
    };
  }
  Comparison comparison;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<sql::Db> target, sql::OpenDatabase(uri, kOptions));
    RETURN_IF_ERROR(mlflow_export::Export(*source, *target, on_progress, notes));
    ASSIGN_OR_RETURN(const auto written,
                     mlflow_import::SqlSource::Open(*target, mlflow_import::ShownUri(uri), {}));
    ASSIGN_OR_RETURN(comparison, mlflow_import::Compare(*written, *source));
  }
  RETURN_IF_ERROR(RemoveLockFile(uri));
  if (arguments.Has("auth-uri")) RETURN_IF_ERROR(ExportUsers(arguments, *source));
  if (!is_quiet) fmt::print(stderr, "\r\x1b[K");
  if (arguments.Has("json")) {
    fmt::print("{}\n", formats::PrintJson(mlflow_import::ComparisonJson(comparison, notes)));
  } else {
    fmt::print("{}", mlflow_import::ComparisonText(comparison, notes, "written", "here"));
  }
  return comparison.is_complete() ? 0 : 1;
}

}  // namespace

Command MakeExportMlflowCommand() {
  return {.name = "export mlflow",
          .summary = "write the server's database as one of MLflow 3.17",
          .details =
              "TARGET is a SQLite file that is not there yet, or an empty PostgreSQL database. It "
              "gets MLflow's schema and\nall that the store holds, and `mlflow server "
              "--backend-store-uri TARGET` serves it. Artifacts stay where they\nare. Stop the "
              "server first, or what it is told meanwhile may be missing.",
          .positionals = {{"TARGET", "the database to make"}},
          .options = {{.name = "backend-store-uri",
                       .value = "URI",
                       .help = "the server's database",
                       .default_value = "sqlite:///sluice.db",
                       .variable = "MLFLOW_BACKEND_STORE_URI"},
                      {.name = "auth-uri",
                       .value = "URI",
                       .help = "write users and permissions too, into this new database"},
                      {.name = "auth-backend-store-uri",
                       .value = "URI",
                       .help = "the server's database of users, where it has one of its own"}},
          .run = RunExport};
}

}  // namespace sluice::app
