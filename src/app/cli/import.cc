// `sluice import mlflow`: an MLflow store into one of ours.
#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>

#include "app/cli/command.h"
#include "app/mlflow_import/artifacts.h"
#include "app/mlflow_import/auth_source.h"
#include "app/mlflow_import/file_source.h"
#include "app/mlflow_import/importer.h"
#include "app/mlflow_import/print.h"
#include "app/mlflow_import/sql_source.h"
#include "app/mlflow_import/verify.h"
#include "app/store_database.h"
#include "base/clock.h"
#include "formats/json.h"
#include "io/fs.h"

namespace sluice::app {

namespace {

using mlflow_import::Comparison;
using mlflow_import::Notes;

/// For one pass over what may be large; a target has one writer and reads beside it.
sql::OpenOptions ReadingOptions() {
  return {.connection_count = 2, .statement_timeout_ms = 3'600'000, .is_read_only = true};
}

/// What is to be imported, opened for reading. `db` goes with a source that is a database.
struct OpenedSource {
  std::unique_ptr<sql::Db> db;
  std::unique_ptr<mlflow_import::Source> source;
};

/// Where a folder mlruns is, if that is what was given.
Result<std::optional<std::string>> FindFolder(const std::string& given) {
  std::string path = given;
  if (path.starts_with("file://")) path.erase(0, 7);
  if (path.find("://") != std::string::npos) return std::optional<std::string>();
  ASSIGN_OR_RETURN(const auto found, io::RealFs().Stat(path));
  if (!found) {
    return NotFound(
        fmt::format("there is no '{}': name a database (sqlite:///mlflow.db, postgresql://...), a "
                    "database file, or a folder mlruns",
                    given));
  }
  if (found->kind != io::FileKind::kDirectory) return std::optional<std::string>();
  return std::optional(path);
}

Result<OpenedSource> OpenSource(const Arguments& arguments, Notes& notes) {
  const std::string given = arguments.Positional(0);
  OpenedSource opened;
  ASSIGN_OR_RETURN(const std::optional<std::string> folder, FindFolder(given));
  if (folder) {
    ASSIGN_OR_RETURN(opened.source, mlflow_import::FileSource::Open(io::RealFs(), *folder, notes));
    return opened;
  }
  const std::string uri = given.find("://") == std::string::npos ? "sqlite:///" + given : given;
  ASSIGN_OR_RETURN(opened.db, sql::OpenDatabase(uri, ReadingOptions()));
  mlflow_import::WorkspaceChoice workspaces;
  if (arguments.Has("workspace")) workspaces.only = arguments.Get("workspace");
  workspaces.takes_all = arguments.Has("prefix-workspaces");
  ASSIGN_OR_RETURN(opened.source, mlflow_import::SqlSource::Open(
                                      *opened.db, mlflow_import::ShownUri(uri), workspaces));
  return opened;
}

void AddCount(Comparison& comparison, mlflow_import::Kind kind, int64_t in_source,
              int64_t in_target) {
  comparison.counts.push_back({.kind = kind,
                               .in_source = in_source,
                               .in_target = in_target,
                               .verdict = in_source == in_target
                                              ? Comparison::Verdict::kEqual
                                              : Comparison::Verdict::kDifferent});
}

/// Users and permissions, where they are asked for or lie beside the rest; into the database where
/// the server would look for them. Adds its rows to the comparison.
Status ImportAuth(const Arguments& arguments, OpenedSource& opened, sql::Db& target,
                  Comparison& comparison, Notes& notes) {
  std::unique_ptr<sql::Db> named;
  sql::Db* source = opened.db.get();
  if (arguments.Has("auth-uri")) {
    std::string uri = arguments.Get("auth-uri");
    if (uri.find("://") == std::string::npos) uri = "sqlite:///" + uri;
    ASSIGN_OR_RETURN(named, sql::OpenDatabase(uri, ReadingOptions()));
    source = named.get();
  } else {
    if (source == nullptr) return Ok();
    ASSIGN_OR_RETURN(const bool has_users, mlflow_import::HasAuthTables(*source));
    if (!has_users) return Ok();
  }
  std::unique_ptr<sql::Db> auth_target;
  if (arguments.Has("auth-backend-store-uri")) {
    ASSIGN_OR_RETURN(auth_target, OpenStoreDatabase(arguments.Get("auth-backend-store-uri")));
  }
  sql::Db& into = auth_target ? *auth_target : target;
  ASSIGN_OR_RETURN(const mlflow_import::AuthRecords records,
                   mlflow_import::ReadAuth(*source, arguments.Get("workspace"), notes));
  RETURN_IF_ERROR(mlflow_import::BringAuth(records, into, notes, SystemClock()));
  const mlflow_import::AuthCounts wanted = mlflow_import::CountOf(records);
  ASSIGN_OR_RETURN(const mlflow_import::AuthCounts found,
                   mlflow_import::CountInTarget(records, into));
  using mlflow_import::Kind;
  AddCount(comparison, Kind::kUsers, wanted.users, found.users);
  AddCount(comparison, Kind::kRoles, wanted.roles, found.roles);
  AddCount(comparison, Kind::kGrants, wanted.grants, found.grants);
  return Ok();
}

/// Copies artifacts, where that is asked for; afterwards `options` rewrite the locations of what
/// was copied from this machine.
Result<std::optional<mlflow_import::ArtifactReport>> ImportArtifacts(
    const Arguments& arguments, mlflow_import::ImportOptions& options, Notes& notes) {
  if (!arguments.Has("artifacts")) return std::optional<mlflow_import::ArtifactReport>();
  const std::string from = arguments.Get("artifacts");
  const bool is_folder = from.starts_with("file://") || from.find("://") == std::string::npos;
  std::string root = from.starts_with("file://") ? from.substr(7) : from;
  if (is_folder) {
    // A remote would make it.
    ASSIGN_OR_RETURN(const auto found, io::RealFs().Stat(root));
    if (!found || found->kind != io::FileKind::kDirectory)
      return NotFound(fmt::format("--artifacts: there is no folder '{}'", root));
    std::error_code error;
    root = std::filesystem::canonical(root, error).string();
    if (error) return Unavailable(fmt::format("--artifacts: {}: {}", from, error.message()));
  }
  ASSIGN_OR_RETURN(const auto source, objects::OpenRemote(is_folder ? root : from));
  ASSIGN_OR_RETURN(const auto target, objects::OpenRemote(arguments.Get("artifacts-destination")));
  std::function<void(int64_t)> on_progress;
  if (options.on_progress)
    on_progress = [&](int64_t count) { options.on_progress("artifacts", count); };
  ASSIGN_OR_RETURN(const mlflow_import::ArtifactReport report,
                   mlflow_import::CopyArtifacts(*source, *target, on_progress, notes));
  if (is_folder) {
    options.rewrite_uri = [root](const std::string& uri) {
      return mlflow_import::ServedUri(uri, root);
    };
  }
  return std::optional(report);
}

Result<int> RunImport(const Arguments& arguments) {
  Notes notes;
  ASSIGN_OR_RETURN(OpenedSource opened, OpenSource(arguments, notes));
  // Each piece is durable by itself, and an import can be run again.
  ASSIGN_OR_RETURN(std::unique_ptr<sql::Db> target,
                   OpenStoreDatabase(arguments.Get("backend-store-uri"),
                                     {.minimum_durability = io::Durability::kFast,
                                      .connection_count = 2,
                                      .statement_timeout_ms = 3'600'000}));
  mlflow_import::ImportOptions options;
  const bool is_quiet = arguments.Has("quiet") || arguments.Has("json") || isatty(2) == 0;
  if (!is_quiet) {
    options.on_progress = [](std::string_view phase, int64_t count) {
      fmt::print(stderr, "\r{}: {}\x1b[K", phase, count);
    };
  }
  ASSIGN_OR_RETURN(const auto artifacts, ImportArtifacts(arguments, options, notes));
  RETURN_IF_ERROR(mlflow_import::Import(*opened.source, *target, options, notes));
  if (!is_quiet) fmt::print(stderr, "\rcomparing\x1b[K");
  ASSIGN_OR_RETURN(Comparison comparison, mlflow_import::Compare(*opened.source, *target));
  RETURN_IF_ERROR(ImportAuth(arguments, opened, *target, comparison, notes));
  if (artifacts) {
    using mlflow_import::Kind;
    AddCount(comparison, Kind::kArtifactFiles, artifacts->in_source.file_count,
             artifacts->in_target.file_count);
    AddCount(comparison, Kind::kArtifactBytes, artifacts->in_source.size_bytes,
             artifacts->in_target.size_bytes);
  }
  if (!is_quiet) fmt::print(stderr, "\r\x1b[K");
  if (arguments.Has("json")) {
    fmt::print("{}\n", formats::PrintJson(mlflow_import::ComparisonJson(comparison, notes)));
  } else {
    fmt::print("{}", mlflow_import::ComparisonText(comparison, notes, "source", "target"));
  }
  return comparison.is_complete() ? 0 : 1;
}

}  // namespace

Command MakeImportMlflowCommand() {
  return {.name = "import mlflow",
          .summary = "bring an MLflow store into the server's database",
          .details =
              "SOURCE is MLflow's database (sqlite:///mlflow.db, a path of such a file, "
              "postgresql://...) of MLflow 2 or 3, or a folder mlruns.\nIt is only read. Ids, "
              "times, deleted things "
              "and whole histories are kept. What is in the target already\nstays; when the import "
              "is interrupted, run it again and it goes on. At the end both sides are "
              "compared,\ncount by count and history by history: exit code 1 means that something "
              "differs.",
          .positionals = {{"SOURCE", "MLflow's database, or its folder mlruns"}},
          .options = {{.name = "backend-store-uri",
                       .value = "URI",
                       .help = "the server's database, made if it is not there",
                       .default_value = "sqlite:///sluice.db",
                       .variable = "MLFLOW_BACKEND_STORE_URI"},
                      {.name = "artifacts",
                       .value = "SOURCE",
                       .help = "copy the artifacts of this folder (the one given to `mlflow "
                               "server` as --artifacts-destination, or mlruns) or s3://... too"},
                      {.name = "artifacts-destination",
                       .value = "URI",
                       .help = "where the server keeps artifacts: a folder or s3://...",
                       .default_value = "./mlartifacts",
                       .variable = "MLFLOW_ARTIFACTS_DESTINATION"},
                      {.name = "auth-uri",
                       .value = "URI",
                       .help = "the database of MLflow's users, where it is not SOURCE"},
                      {.name = "auth-backend-store-uri",
                       .value = "URI",
                       .help = "the server's database of users, where it has one of its own"},
                      {.name = "workspace",
                       .value = "NAME",
                       .help = "the one workspace to bring",
                       .default_value = "default"},
                      {.name = "prefix-workspaces",
                       .value = "",
                       .help = "bring all workspaces, their names before those of their "
                               "experiments and models"}},
          .run = RunImport};
}

}  // namespace sluice::app
