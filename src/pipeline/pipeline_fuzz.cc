// ParsePipeline takes any bytes: either every error has a place, or the pipeline can be planned and
// printed.
#include "pipeline/environment.h"
#include "pipeline/lineage.h"
#include "pipeline/parse.h"
#include "pipeline/plan.h"

namespace {

using namespace sluice::pipeline;

const std::vector<StepKind>& Kinds() {
  static const std::vector<StepKind> kinds = {
      {.name = "ingest",
       .inputs =
           {{.name = "from", .type = DataType::kFile, .takes_files = true, .takes_list = true}},
       .settings = {{.name = "header", .type = SettingType::kBool},
                    {.name = "nulls", .type = SettingType::kStrings},
                    {.name = "types", .type = SettingType::kMap}},
       .outputs = {{.name = "table", .is_main = true, .file_name = "table"}},
       .takes_dataset_options = true},
      {.name = "split",
       .inputs = {{.name = "table"}},
       .settings = {{.name = "by", .choices = {"random", "time"}},
                    {.name = "test", .type = SettingType::kShare},
                    {.name = "limit", .type = SettingType::kSize},
                    {.name = "wait", .type = SettingType::kDuration},
                    {.name = "count", .type = SettingType::kInteger, .min = 0}},
       .outputs = {{.name = "train", .file_name = "train"}, {.name = "test", .file_name = "test"}},
       .uses_seed = true}};
  return kinds;
}

void PlanIt(const Pipeline& pipeline) {
  PlanInputs inputs;
  for (const Param& param : pipeline.params)
    inputs.params[param.name] = param.default_value.value_or("1");
  for (const SourcePattern& source : SourcePatterns(pipeline, pipeline.order)) {
    inputs.sources[source.pattern] = sluice::ComputeSha256(source.pattern);
  }
  auto plan = Plan::Make(pipeline, std::move(inputs));
  if (!plan.ok()) return;
  std::vector<int> ready = plan->ReadySteps();
  for (size_t i = 0; i < ready.size(); ++i) {
    const Step& step = pipeline.steps[static_cast<size_t>(ready[i])];
    for (int changed : plan->Finish(ready[i], OutputDigests(step.outputs.size()))) {
      if (plan->step(changed).state == StepState::kReady) ready.push_back(changed);
    }
  }
  CHECK(plan->is_finished());
  CHECK(ready.size() == pipeline.steps.size());
  CHECK(!PrintPlan(*plan).empty());
  CHECK(LineageToJson(*plan).is_object());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  ParseOutcome outcome = ParsePipelineFully(text, "f.yaml", Kinds());
  CHECK(outcome.pipeline.has_value() == outcome.errors.empty());
  for (const sluice::Error& error : outcome.errors) {
    CHECK(error.source().has_value() && error.source()->line >= 1);
    CHECK(!error.ToString().empty());
  }
  if (outcome.pipeline) PlanIt(*outcome.pipeline);
  auto environment = ParseEnvironment(text, "e.yaml", "e");
  CHECK(environment.ok() || environment.error().source().has_value());
  return 0;
}
