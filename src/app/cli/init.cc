#include <fmt/format.h>

#include <algorithm>

#include "app/cli/command.h"
#include "base/suggest.h"
#include "io/fs.h"
#include "sluice_app_embedded.h"

namespace sluice::app {

namespace {

constexpr std::string_view kExamplesFolder = "../../examples/";

/// "credit" and "credit/sluice.yaml" of "../../examples/credit/sluice.yaml"; empty for other
/// embedded files.
std::string_view ExamplePath(std::string_view embedded_name) {
  if (!embedded_name.starts_with(kExamplesFolder)) return {};
  return embedded_name.substr(kExamplesFolder.size());
}

std::vector<std::string> TemplateNames() {
  std::vector<std::string> names;
  for (const embedded::EmbeddedFile& file : embedded::EmbeddedFiles()) {
    std::string_view path = ExamplePath(file.name);
    std::string name(path.substr(0, path.find('/')));
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return names;
}

Result<int> RunInit(const Arguments& arguments) {
  std::string name = arguments.Get("template");
  std::vector<std::string> names = TemplateNames();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return InvalidArgument(fmt::format("there is no template '{}'{}; there is: {}", name,
                                       DidYouMean(name, names), fmt::join(names, ", ")));
  }
  io::Fs& fs = io::RealFs();
  std::string folder = arguments.Positional(0).empty() ? "." : arguments.Positional(0);
  std::vector<std::pair<std::string, std::string_view>> files;
  for (const embedded::EmbeddedFile& file : embedded::EmbeddedFiles()) {
    std::string_view path = ExamplePath(file.name);
    if (!path.starts_with(name + "/")) continue;
    std::string target = io::JoinPath(folder, path.substr(name.size() + 1));
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs.Stat(target));
    // Nothing of a person's is overwritten, and nothing is written before that is sure.
    if (info)
      return AlreadyExists(
          fmt::format("'{}' is there already; choose an empty folder: `sluice init DIR`", target));
    files.emplace_back(std::move(target), file.content);
  }
  for (const auto& [target, content] : files) {
    RETURN_IF_ERROR(fs.MakeDirectories(io::DirName(target)));
    RETURN_IF_ERROR(fs.WriteFileAtomic(target, content, io::Durability::kFast));
  }
  if (!arguments.Has("quiet")) {
    fmt::print("wrote {} files\nnext: {}sluice run\n", files.size(),
               folder == "." ? "" : fmt::format("cd {} && ", folder));
  }
  return 0;
}

}  // namespace

Command MakeInitCommand() {
  return {.name = "init",
          .summary = "write a new project from a template",
          .details =
              "Templates: credit (loan applications, from raw CSV to a registered model that "
              "answers requests).",
          .positionals = {{"DIR", "where; default: this folder", false}},
          .options = {{"template", 't', "NAME", "which template", false, "credit"}},
          .run = RunInit};
}

}  // namespace sluice::app
