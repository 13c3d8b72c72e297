#include <fmt/format.h>

#include <cstdio>

#include "api/reference.h"
#include "app/cli/command.h"
#include "app/step_kinds.h"
#include "features/spec.h"
#include "learn/learners.h"

namespace sluice::app {

namespace {

std::string PrintFeatureReference() {
  std::string text =
      "# Feature operations\n\nWritten by `sluice reference features`. What may stand in a "
      "column's list in a `features`\n"
      "step, first to last.\n\n| operation | takes | written | |\n|---|---|---|---|\n";
  for (const features::OpHelp& op : features::OpHelps()) {
    text += fmt::format("| `{}` | {} | `{}` | {} |\n", op.name, op.takes, op.argument, op.help);
  }
  return text;
}

std::string PrintLearnerReference() {
  std::string text =
      "# Learners\n\nWritten by `sluice reference learners`. What may stand under `params` in a "
      "`train` step.\n";
  for (const learn::Learner& learner : learn::Learners()) {
    text += fmt::format("\n## {}\n\n{}\n\n", learner.name, learner.help);
    for (const learn::ParamSpec& param : learner.params)
      text += fmt::format("* {}\n", learn::DescribeParam(param));
  }
  return text;
}

struct Page {
  std::string_view name;
  std::string (*print)();
};
constexpr Page kPages[] = {
    {"cli", PrintCliReference},          {"steps", PrintStepReference},
    {"features", PrintFeatureReference}, {"learners", PrintLearnerReference},
    {"rest", api::PrintRestReference},
};

Result<int> RunReference(const Arguments& arguments) {
  std::string names;
  for (const Page& page : kPages) {
    if (page.name == arguments.Positional(0)) {
      std::fputs(page.print().c_str(), stdout);
      return 0;
    }
    names += fmt::format(" {}", page.name);
  }
  return InvalidArgument(
      fmt::format("there is no page '{}'; there is:{}", arguments.Positional(0), names));
}

}  // namespace

Command MakeReferenceCommand() {
  return {.name = "reference",
          .summary = "print a page of the reference: cli, steps, features, learners or rest",
          .details = "",
          .positionals = {{"PAGE", "which page"}},
          .options = {},
          .run = RunReference};
}

}  // namespace sluice::app
