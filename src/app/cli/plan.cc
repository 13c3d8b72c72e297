// `sluice plan` and `sluice why`: what would run, and for what reason.
#include <fmt/format.h>

#include <cstdio>

#include "app/cli/command.h"
#include "app/pipeline_session.h"

namespace sluice::app {

namespace {

Result<int> RunPlan(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::unique_ptr<PipelineSession> session, PipelineSession::Open(arguments));
  runner::RunObserver nobody;
  ASSIGN_OR_RETURN(pipeline::Plan plan,
                   runner::PlanRun(session->request(), session->Deps(nobody, nullptr)));
  if (arguments.Has("json")) {
    fmt::print("{}\n", formats::PrintJson(pipeline::PlanToJson(plan)));
  } else {
    std::fputs(pipeline::PrintPlan(plan).c_str(), stdout);
  }
  return 0;
}

Result<int> RunWhy(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::unique_ptr<PipelineSession> session, PipelineSession::Open(arguments));
  runner::RunObserver nobody;
  ASSIGN_OR_RETURN(pipeline::Plan plan,
                   runner::PlanRun(session->request(), session->Deps(nobody, nullptr)));
  std::string name = arguments.Positional(0);
  int index = session->pipeline().FindStep(name.substr(0, name.find('.')));
  CHECK(index >= 0);  // PlanRun refused unknown targets
  if (arguments.Has("json")) {
    formats::Json whole = pipeline::PlanToJson(plan);
    for (const formats::Json& step : whole.At("steps").AsArray()) {
      if (step.StringOr("name", "") == session->pipeline().steps[static_cast<size_t>(index)].name) {
        fmt::print("{}\n", formats::PrintJson(step));
      }
    }
  } else {
    std::fputs(pipeline::PrintWhy(plan, index).c_str(), stdout);
  }
  return 0;
}

}  // namespace

Command MakePlanCommand() {
  return {.name = "plan",
          .summary = "show what would run and why; runs nothing",
          .details = "",
          .positionals = {{"STEP", "plan only these steps and what they need; default: all", false,
                           true}},
          .options = PlanCliOptions(),
          .run = RunPlan};
}

Command MakeWhyCommand() {
  return {.name = "why",
          .summary = "say why a step would run, or why it is cached",
          .details = "",
          .positionals = {{"STEP", "the step to explain"}},
          .options = PlanCliOptions(),
          .run = RunWhy};
}

}  // namespace sluice::app
