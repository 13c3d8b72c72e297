#include "app/report_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/report/report_html.h"
#include "app/version.h"
#include "model/model.h"
#include "pipeline/lineage.h"
#include "runner/git_facts.h"

namespace sluice::app {

namespace {

using formats::Json;

constexpr size_t kShownImportances = 40;

const runner::StepOutput* FindOutput(const runner::StepOutcome& outcome, std::string_view name) {
  for (const runner::StepOutput& output : outcome.outputs) {
    if (output.name == name) return &output;
  }
  return nullptr;
}

/// A JSON output, or one file of a folder output.
Result<Json> ReadOutput(objects::Store& store, const runner::StepOutput& output,
                        std::string_view file = {}) {
  Digest digest = output.stored.id.digest;
  if (!file.empty()) {
    ASSIGN_OR_RETURN(objects::Stored entry, store.FindInTree(digest, file));
    digest = entry.id.digest;
  }
  ASSIGN_OR_RETURN(std::string text, store.GetBytes(digest));
  return formats::ParseJson(text, {.file = fmt::format("object {}", digest.ToShort())});
}

/// Which output of which kind of step fills which part of the page.
struct Artefact {
  std::string_view kind;
  std::string_view output;
  std::string_view file;  // inside a folder output
  std::vector<NamedArtefact> ReportInputs::*part;
};
const Artefact kArtefacts[] = {
    {"profile", "profile", "", &ReportInputs::profiles},
    {"validate", "findings", "", &ReportInputs::findings},
    {"split", "leakage", "", &ReportInputs::leakage},
    {"train", "model", "curve.json", &ReportInputs::curves},
    {"evaluate", "report", "", &ReportInputs::evaluations},
    {"gate", "verdict", "", &ReportInputs::verdicts},
};

Result<Json> DescribeModel(Project& project, const runner::StepOutput& output) {
  ASSIGN_OR_RETURN(objects::Store * store, project.Objects());
  std::string folder =
      io::JoinPath(project.state_dir(), "models/" + output.stored.id.digest.ToHex());
  RETURN_IF_ERROR(io::RealFs().MakeDirectories(io::DirName(folder)));
  RETURN_IF_ERROR(store->Materialise(output.stored.id, folder));
  ASSIGN_OR_RETURN(std::shared_ptr<const model::Model> model, model::Model::Load(folder));
  std::vector<learn::Importance> importances = model->learner().Importances();
  std::stable_sort(
      importances.begin(), importances.end(),
      [](const learn::Importance& a, const learn::Importance& b) { return a.gain > b.gain; });
  Json list = Json::MakeArray();
  for (size_t i = 0; i < importances.size() && i < kShownImportances; ++i) {
    list.Append(Json::MakeObject({{"feature", importances[i].feature},
                                  {"gain", importances[i].gain},
                                  {"weight", importances[i].weight}}));
  }
  return Json::MakeObject({{"learner", model->description().learner},
                           {"task", learn::TaskName(model->description().task)},
                           {"label", model->description().label},
                           {"feature_count", model->features().feature_names().size()},
                           {"digest", output.stored.id.digest.ToHex()},
                           {"params", model->description().params},
                           {"importances", std::move(list)}});
}

Json DescribeStep(const runner::StepOutcome& outcome, std::string_view kind) {
  Json outputs = Json::MakeArray();
  for (const runner::StepOutput& output : outcome.outputs) {
    outputs.Append(Json::MakeObject({{"name", output.name},
                                     {"digest", output.stored.id.digest.ToHex()},
                                     {"size_bytes", output.stored.size_bytes}}));
  }
  Json json = Json::MakeObject({{"name", outcome.name},
                                {"kind", kind},
                                {"state", runner::StepResultName(outcome.result)},
                                {"duration_ms", outcome.end_ms - outcome.start_ms},
                                {"reason", outcome.reason},
                                {"outputs", std::move(outputs)}});
  if (!outcome.facts.summary.empty()) json["summary"] = outcome.facts.summary.back();
  if (!outcome.error.empty()) json["error"] = outcome.error;
  if (outcome.key) json["cache_key"] = outcome.key->ToHex();
  return json;
}

}  // namespace

void ReportBuilder::OnPlan(const std::string& /*run_id*/, const pipeline::Plan& plan) {
  lineage_ = pipeline::LineageToJson(plan);
  pipeline_ = &plan.pipeline();
}

Status ReportBuilder::Write(const runner::RunSummary& summary, const std::string& path) {
  CHECK(pipeline_ != nullptr);
  ASSIGN_OR_RETURN(objects::Store * store, project_.Objects());
  ReportInputs inputs;
  inputs.lineage = lineage_;
  Json steps = Json::MakeArray();
  Json registered;
  for (const runner::StepOutcome& outcome : summary.steps) {
    const pipeline::Step& step = pipeline_->steps[static_cast<size_t>(outcome.step)];
    steps.Append(DescribeStep(outcome, step.KindName()));
    for (const Artefact& artefact : kArtefacts) {
      if (artefact.kind != step.KindName()) continue;
      const runner::StepOutput* output = FindOutput(outcome, artefact.output);
      if (output == nullptr) continue;
      ASSIGN_OR_RETURN(Json content, ReadOutput(*store, *output, artefact.file));
      (inputs.*artefact.part).push_back({outcome.name, std::move(content)});
    }
    const runner::StepOutput* model =
        step.KindName() == "train" ? FindOutput(outcome, "model") : nullptr;
    if (model != nullptr) {
      ASSIGN_OR_RETURN(Json content, DescribeModel(project_, *model));
      inputs.models.push_back({outcome.name, std::move(content)});
    }
    const runner::StepOutput* version =
        step.KindName() == "register" ? FindOutput(outcome, "version") : nullptr;
    if (version != nullptr) {
      ASSIGN_OR_RETURN(registered, ReadOutput(*store, *version));
    }
  }
  if (registered.is_object() && !inputs.models.empty()) {
    Json& model = inputs.models.front().content;
    model["registered"] = registered.StringOr("name", "");
    model["version"] = registered.IntegerOr("model_version", 0);
    model["alias"] = registered.StringOr("alias", "");
    inputs.next_commands.push_back(fmt::format("sluice serve models:/{}/{}",
                                               registered.StringOr("name", ""),
                                               registered.IntegerOr("model_version", 0)));
  }
  for (const runner::StepOutcome& outcome : summary.steps) {
    if (outcome.result == runner::StepResult::kFailed) {
      inputs.next_commands.push_back(fmt::format("sluice log {}", outcome.name));
    }
  }
  inputs.next_commands.push_back("sluice run");

  Json params = Json::MakeObject();
  for (const auto& [name, value] : params_) params[name] = value;
  inputs.run = Json::MakeObject({{"pipeline", pipeline_->name},
                                 {"run_id", summary.run_id},
                                 {"state", runner::RunStateName(summary.state)},
                                 {"started_at_ms", summary.start_ms},
                                 {"duration_ms", summary.end_ms - summary.start_ms},
                                 {"environment", environment_},
                                 {"seed", pipeline_->seed},
                                 {"sluice_version", kVersion},
                                 {"params", std::move(params)},
                                 {"steps", std::move(steps)}});
  Result<std::optional<runner::GitFacts>> git = runner::ReadGitFacts(project_.root());
  if (git.ok() && *git) {
    inputs.run["git"] = Json::MakeObject(
        {{"commit", (*git)->commit}, {"branch", (*git)->branch}, {"dirty", (*git)->is_dirty}});
  }
  ASSIGN_OR_RETURN(std::string html, RenderReportHtml(inputs));
  return io::RealFs().WriteFileAtomic(path, html, io::Durability::kFast);
}

}  // namespace sluice::app
