// `sluice import mlflow`: an MLflow store into one of ours.
#include <fmt/format.h>

#include <unistd.h>

#include "app/cli/command.h"
#include "app/mlflow_import/file_source.h"
#include "app/mlflow_import/importer.h"
#include "app/mlflow_import/sql_source.h"
#include "app/mlflow_import/verify.h"
#include "app/store_database.h"
#include "formats/json.h"
#include "io/fs.h"

namespace sluice::app {

namespace {

using formats::Json;
using mlflow_import::Comparison;
using mlflow_import::Notes;

/// What is to be imported, opened for reading. `db` goes with a source that is a database.
struct OpenedSource {
  std::unique_ptr<sql::Db> db;
  std::unique_ptr<mlflow_import::Source> source;
};

/// Without the password.
std::string ShownUri(const std::string& uri) {
  const size_t scheme = uri.find("://");
  const size_t at = uri.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme) return uri;
  const size_t colon = uri.find(':', scheme + 3);
  if (colon == std::string::npos || colon > at) return uri;
  return uri.substr(0, colon) + uri.substr(at);
}

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
  ASSIGN_OR_RETURN(opened.db, sql::OpenDatabase(uri, {.connection_count = 2,
                                                      .statement_timeout_ms = 3'600'000,
                                                      .is_read_only = true}));
  mlflow_import::WorkspaceChoice workspaces;
  if (arguments.Has("workspace")) workspaces.only = arguments.Get("workspace");
  workspaces.takes_all = arguments.Has("prefix-workspaces");
  ASSIGN_OR_RETURN(opened.source,
                   mlflow_import::SqlSource::Open(*opened.db, ShownUri(uri), workspaces));
  return opened;
}

Json ComparisonJson(const Comparison& comparison, const Notes& notes) {
  Json counts = Json::MakeArray();
  for (const Comparison::CountRow& row : comparison.counts) {
    counts.Append(Json::MakeObject({{"kind", std::string(KindName(row.kind))},
                                    {"in_source", row.in_source},
                                    {"in_target", row.in_target},
                                    {"verdict", std::string(VerdictText(row.verdict))}}));
  }
  Json points = Json::MakeArray();
  for (const Comparison::PointsRow& row : comparison.points) {
    points.Append(
        Json::MakeObject({{"experiment_id", std::to_string(row.experiment_id)},
                          {"in_source", row.in_source.point_count},
                          {"in_target", row.in_target.point_count},
                          {"source_checksum", fmt::format("{:016x}", row.in_source.checksum)},
                          {"target_checksum", fmt::format("{:016x}", row.in_target.checksum)},
                          {"verdict", std::string(VerdictText(row.verdict))}}));
  }
  Json notes_json = Json::MakeArray();
  for (const auto& [what, note] : notes.all()) {
    notes_json.Append(
        Json::MakeObject({{"what", what}, {"count", note.count}, {"example", note.example}}));
  }
  return Json::MakeObject({{"is_complete", comparison.is_complete()},
                           {"counts", std::move(counts)},
                           {"points", std::move(points)},
                           {"notes", std::move(notes_json)}});
}

void PrintComparison(const Comparison& comparison, const Notes& notes) {
  fmt::print("{:<26} {:>12} {:>12}\n", "", "source", "target");
  for (const Comparison::CountRow& row : comparison.counts) {
    if (row.in_source == 0 && row.in_target == 0) continue;
    fmt::print("{:<26} {:>12} {:>12}  {}\n", KindName(row.kind), row.in_source, row.in_target,
               VerdictText(row.verdict));
  }
  if (!comparison.points.empty()) {
    fmt::print("\n{:<12} {:>12} {:>12} {:>18} {:>18}\n", "experiment", "points", "points",
               "checksum", "checksum");
  }
  for (const Comparison::PointsRow& row : comparison.points) {
    fmt::print("{:<12} {:>12} {:>12}   {:016x}   {:016x}  {}\n", row.experiment_id,
               row.in_source.point_count, row.in_target.point_count, row.in_source.checksum,
               row.in_target.checksum, VerdictText(row.verdict));
  }
  if (!notes.all().empty()) fmt::print("\n");
  for (const auto& [what, note] : notes.all()) {
    fmt::print("note: {} {}{}\n", note.count, what,
               note.example.empty() ? "" : fmt::format(" (such as {})", note.example));
  }
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
  RETURN_IF_ERROR(mlflow_import::Import(*opened.source, *target, options, notes));
  if (!is_quiet) fmt::print(stderr, "\rcomparing\x1b[K");
  ASSIGN_OR_RETURN(const Comparison comparison, mlflow_import::Compare(*opened.source, *target));
  if (!is_quiet) fmt::print(stderr, "\r\x1b[K");
  if (arguments.Has("json")) {
    fmt::print("{}\n", formats::PrintJson(ComparisonJson(comparison, notes)));
  } else {
    PrintComparison(comparison, notes);
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
