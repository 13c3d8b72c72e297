#include <arrow/table.h>
#include <fmt/format.h>

#include "app/model_evaluation.h"
#include "app/project.h"
#include "app/steps/step.h"
#include "evaluate/compare.h"
#include "evaluate/gate.h"
#include "model/model.h"
#include "table/open.h"

namespace sluice::app {

namespace {

/// What rules about the champion need: its report on the candidate's rows, and the paired
/// comparison.
struct ChampionView {
  std::string name;
  int64_t version = 0;
  evaluate::Report report;
  std::optional<evaluate::Comparison> comparison;
};

/// The model name whose champion counts: the gate's own `champion` setting.
Result<std::optional<ChampionView>> ReadChampion(StepContext& context,
                                                 const formats::Json& report_json,
                                                 const evaluate::Report& report) {
  std::string name = context.Text("champion");
  if (name.empty()) return std::optional<ChampionView>();
  ASSIGN_OR_RETURN(std::unique_ptr<Project> project, Project::Open(context.project_root()));
  ASSIGN_OR_RETURN(registry::Store * registry, project->Registry());
  ASSIGN_OR_RETURN(std::optional<registry::ModelVersion> version,
                   registry->FindByAlias(name, registry::kChampion));
  if (!version) return std::optional<ChampionView>();

  ASSIGN_OR_RETURN(objects::Store * store, project->Objects());
  ASSIGN_OR_RETURN(std::string table_id, report_json.GetString("table"));
  ASSIGN_OR_RETURN(objects::ObjectId id, objects::ObjectId::Parse(table_id));
  std::string table_path;
  if (id.is_tree()) {
    ASSIGN_OR_RETURN(objects::Stored file, store->FindInTree(id.digest, "data.arrow"));
    ASSIGN_OR_RETURN(table_path, store->GetVerifiedPath(file.id.digest));
  } else {
    ASSIGN_OR_RETURN(table_path, store->GetVerifiedPath(id.digest));
  }
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, table::OpenTable(table_path));
  ASSIGN_OR_RETURN(std::string folder, MaterialiseVersion(*project, *version));
  ASSIGN_OR_RETURN(std::shared_ptr<const model::Model> model, model::Model::Load(folder));
  ASSIGN_OR_RETURN(ScoredTable scored, ScoreTable(*model, table));

  ChampionView view{.name = name, .version = version->version, .report = {}, .comparison = {}};
  evaluate::EvaluateRequest request = EvaluationRequest(*model, scored);
  request.seed = static_cast<uint64_t>(context.seed());
  request.thread_count = static_cast<size_t>(context.thread_count());
  SliceChoice choice;
  if (const formats::Json* columns = report_json.Find("slice_columns")) {
    for (const formats::Json& column : columns->AsArray())
      choice.columns.push_back(column.AsString());
  }
  for (const evaluate::FairnessReport& fairness : report.fairness)
    choice.sensitive.push_back(fairness.name);
  ASSIGN_OR_RETURN(request.slices, MakeSlices(*table, scored.rows, choice));
  ASSIGN_OR_RETURN(view.report, evaluate::BuildReport(request));

  // The candidate on the same rows, for the paired difference.
  if (context.HasInput("model")) {
    ASSIGN_OR_RETURN(std::string candidate_path, context.Input("model"));
    ASSIGN_OR_RETURN(std::shared_ptr<const model::Model> candidate,
                     model::Model::Load(candidate_path));
    ASSIGN_OR_RETURN(ScoredTable candidate_scored, ScoreTable(*candidate, table));
    std::vector<double> champion_predictions = scored.predictions;
    request.predictions = candidate_scored.predictions;
    request.labels = candidate_scored.labels;
    ASSIGN_OR_RETURN(view.comparison, evaluate::ComparePaired(request, champion_predictions));
  }
  return std::optional(std::move(view));
}

}  // namespace

Status RunGate(StepContext& context) {
  ASSIGN_OR_RETURN(std::string report_path, context.Input("report"));
  ASSIGN_OR_RETURN(formats::Json report_json, ReadJsonFile(report_path));
  ASSIGN_OR_RETURN(evaluate::Report report, evaluate::ReportFromJson(report_json));
  std::vector<evaluate::Rule> rules;
  bool needs_champion = false;
  for (const std::string& text : context.Texts("rules")) {
    ASSIGN_OR_RETURN(evaluate::Rule rule, evaluate::Rule::Parse(text));
    needs_champion = needs_champion || rule.needs_champion();
    rules.push_back(std::move(rule));
  }
  std::optional<ChampionView> champion;
  if (needs_champion) {
    if (context.Text("champion").empty()) {
      return InvalidArgument(
          "a rule names the champion; say of which registered model: `champion: NAME`");
    }
    ASSIGN_OR_RETURN(champion, ReadChampion(context, report_json, report));
  }
  evaluate::GateInput input{
      .report = &report,
      .champion = champion ? &champion->report : nullptr,
      .comparison = champion && champion->comparison ? &*champion->comparison : nullptr};
  evaluate::Verdict verdict = evaluate::EvaluateGate(rules, input);

  // What `register` checks before it promotes: whom the verdict is about, and against whom it was
  // won (version 0: there was no champion yet).
  formats::Json json = evaluate::VerdictToJson(verdict);
  ASSIGN_OR_RETURN(json["model"], report_json.GetString("model"));
  if (needs_champion) {
    json["champion"] = formats::Json::MakeObject(
        {{"name", context.Text("champion")}, {"version", champion ? champion->version : 0}});
  }
  if (champion && champion->comparison)
    json["comparison"] = evaluate::ComparisonToJson(*champion->comparison);
  ASSIGN_OR_RETURN(std::string output, context.Output("verdict"));
  RETURN_IF_ERROR(WriteJsonFile(output, json));

  int64_t passed_count = 0;
  for (const evaluate::RuleVerdict& rule : verdict.rules) {
    if (rule.outcome == evaluate::Outcome::kPass) {
      ++passed_count;
    } else {
      context.Warning(fmt::format("{}: {}", rule.text, rule.reason));
    }
  }
  context.Tag("sluice.verdict", evaluate::OutcomeName(verdict.outcome));
  context.Metric("rules_passed", static_cast<double>(passed_count));
  context.Summary(fmt::format("{}, {} of {} rules hold", evaluate::OutcomeName(verdict.outcome),
                              passed_count, verdict.rules.size()));
  if (verdict.outcome == evaluate::Outcome::kFail && context.Text("on_fail") == "stop") {
    std::string message = "the gate failed:";
    for (const evaluate::RuleVerdict& rule : verdict.rules) {
      if (rule.outcome != evaluate::Outcome::kPass)
        message += fmt::format("\n  {}: {}", rule.text, rule.reason);
    }
    return FailedPrecondition(std::move(message));
  }
  return Ok();
}

}  // namespace sluice::app
