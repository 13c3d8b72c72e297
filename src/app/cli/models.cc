#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/project.h"
#include "base/clock.h"
#include "formats/json.h"

namespace sluice::app {

namespace {

using formats::Json;

Json VersionToJson(const registry::ModelVersion& version) {
  Json aliases = Json::MakeArray();
  for (const std::string& alias : version.aliases) aliases.Append(alias);
  return Json::MakeObject({{"name", version.name},
                           {"version", version.version},
                           {"aliases", std::move(aliases)},
                           {"verdict", registry::VerdictName(version.verdict)},
                           {"model", version.model_id},
                           {"run_id", version.run_id},
                           {"created", FormatUtc(version.created_ms)}});
}

Result<int> RunModels(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::unique_ptr<Project> project, OpenProject(arguments.Get("project")));
  ASSIGN_OR_RETURN(registry::Store * registry, project->Registry());
  std::vector<std::string> names;
  if (!arguments.Positional(0).empty()) {
    names.push_back(arguments.Positional(0));
  } else {
    ASSIGN_OR_RETURN(std::vector<registry::RegisteredModel> models, registry->ListModels());
    for (const registry::RegisteredModel& model : models) names.push_back(model.name);
  }
  if (names.empty() && !arguments.Has("json")) fmt::print("no registered model yet\n");
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(std::vector<registry::ModelVersion> versions, registry->ListVersions(name));
    for (const registry::ModelVersion& version : versions) {
      if (arguments.Has("json")) {
        fmt::print("{}\n", formats::PrintJson(VersionToJson(version)));
      } else {
        std::string aliases;
        for (const std::string& alias : version.aliases) aliases += " @" + alias;
        fmt::print("{:<28} verdict {:<13} {}  {}{}\n",
                   fmt::format("models:/{}/{}", name, version.version),
                   registry::VerdictName(version.verdict), FormatUtc(version.created_ms),
                   version.model_id.substr(0, 17), aliases);
      }
    }
  }
  return 0;
}

Result<int> RunUndo(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::unique_ptr<Project> project, OpenProject(arguments.Get("project")));
  ASSIGN_OR_RETURN(registry::Store * registry, project->Registry());
  const std::string alias = arguments.Get("alias");
  ASSIGN_OR_RETURN(registry::AliasMove move, registry->UndoAlias(arguments.Positional(0), alias, "",
                                                                 arguments.Get("reason")));
  auto print = [](const std::optional<int64_t>& version) {
    return version ? fmt::format("version {}", *version) : std::string("no version");
  };
  fmt::print("{}@{}: {} → {}\n", arguments.Positional(0), alias, print(move.from_version),
             print(move.to_version));
  return 0;
}

}  // namespace

Command MakeModelsCommand() {
  return {.name = "models",
          .summary = "list registered models and their versions",
          .details = "",
          .positionals = {{"NAME", "one model only", false}},
          .options = {},
          .run = RunModels};
}

Command MakeModelsUndoCommand() {
  return {.name = "models undo",
          .summary = "take back the last move of an alias",
          .details =
              "The alias points again to where it pointed before; the move is recorded, nothing is "
              "deleted.",
          .positionals = {{"NAME", "the registered model"}},
          .options = {{"alias", '\0', "ALIAS", "which alias", false, "champion"},
                      {"reason", '\0', "TEXT", "recorded with the move", false,
                       "undone from the command line"}},
          .run = RunUndo};
}

}  // namespace sluice::app
