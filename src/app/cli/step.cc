#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/steps/step.h"

namespace sluice::app {

namespace {

Result<int> RunStep(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::unique_ptr<StepContext> context,
                   StepContext::Open(arguments.Positional(0)));
  for (const StepFunction& function : StepFunctions()) {
    if (function.kind != context->kind()) continue;
    RETURN_IF_ERROR(function.run(*context));
    return 0;
  }
  return InvalidArgument(fmt::format("'{}' is not a step kind of this program", context->kind()));
}

}  // namespace

Command MakeStepCommand() {
  return {.name = "step",
          .summary = "run one native step from its request file (started by the runner)",
          .details = "",
          .positionals = {{"REQUEST", "the request.json of an attempt"}},
          .options = {},
          .run = RunStep,
          .is_hidden = true};
}

}  // namespace sluice::app
