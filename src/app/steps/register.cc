#include <fmt/format.h>

#include "app/model_identity.h"
#include "app/project.h"
#include "app/steps/step.h"
#include "evaluate/gate.h"
#include "model/model.h"

namespace sluice::app {

namespace {

struct GivenVerdict {
  registry::Verdict verdict = registry::Verdict::kNone;
  std::string digest;
  formats::Json json;  ///< verdict.json; null without one
};

Result<GivenVerdict> ReadVerdict(StepContext& context) {
  GivenVerdict given;
  if (!context.HasInput("verdict")) return given;
  ASSIGN_OR_RETURN(std::string path, context.Input("verdict"));
  ASSIGN_OR_RETURN(std::string text, io::RealFs().ReadFile(path));
  ASSIGN_OR_RETURN(formats::Json json, formats::ParseJson(text, {.file = path}));
  ASSIGN_OR_RETURN(evaluate::Verdict verdict, evaluate::VerdictFromJson(json));
  given.digest = ComputeSha256(text).ToHex();
  switch (verdict.outcome) {
    case evaluate::Outcome::kPass: given.verdict = registry::Verdict::kPass; break;
    case evaluate::Outcome::kFail: given.verdict = registry::Verdict::kFail; break;
    case evaluate::Outcome::kInconclusive: given.verdict = registry::Verdict::kInconclusive; break;
  }
  given.json = std::move(json);
  return given;
}

/// A verdict speaks for the model that was measured, and no other.
Status CheckSameModel(const GivenVerdict& given, const std::string& model_path) {
  if (given.json.is_null()) return Ok();
  ASSIGN_OR_RETURN(std::string judged, given.json.GetString("model"));
  ASSIGN_OR_RETURN(std::string identity, ComputeModelIdentity(model_path));
  if (judged == identity) return Ok();
  return FailedPrecondition(fmt::format(
      "the verdict is about another model ({}) than the one to be registered ({}); register the "
      "model whose report the gate read, or the package made of it",
      judged.substr(0, 12), identity.substr(0, 12)));
}

/// A verdict won against one champion promotes nobody over another: the verdict may come from the
/// run cache while the alias has moved. `model_id` being champion already is no promotion.
Status CheckSameChampion(const GivenVerdict& given, registry::Store& registry,
                         const std::string& model_id) {
  const formats::Json* champion = given.json.is_null() ? nullptr : given.json.Find("champion");
  if (champion == nullptr || given.verdict != registry::Verdict::kPass) return Ok();
  ASSIGN_OR_RETURN(std::string name, champion->GetString("name"));
  int64_t judged = champion->IntegerOr("version", 0);
  ASSIGN_OR_RETURN(std::optional<registry::ModelVersion> current,
                   registry.FindByAlias(name, registry::kChampion));
  if ((current ? current->version : 0) == judged) return Ok();
  if (current && current->model_id == model_id) return Ok();
  auto text = [](int64_t version) {
    return version == 0 ? std::string("no version") : fmt::format("version {}", version);
  };
  return FailedPrecondition(fmt::format(
      "the verdict was given while {} was champion of model '{}', and now {} is; run the gate "
      "again with `sluice run --force STEP`, STEP being the gate",
      text(judged), name, text(current ? current->version : 0)));
}

/// The version that holds exactly this model and verdict, if there is one: a step that is repeated
/// after a crash must not number the same model twice.
Result<std::optional<registry::ModelVersion>> FindSame(registry::Store& registry,
                                                       const std::string& name,
                                                       const std::string& model_id,
                                                       const GivenVerdict& verdict) {
  ASSIGN_OR_RETURN(std::vector<registry::ModelVersion> versions, registry.ListVersions(name));
  for (registry::ModelVersion& version : versions) {
    if (version.model_id == model_id && version.verdict_digest == verdict.digest)
      return std::optional(std::move(version));
  }
  return std::optional<registry::ModelVersion>();
}

}  // namespace

Status RunRegister(StepContext& context) {
  ASSIGN_OR_RETURN(std::string model_path, context.Input("model"));
  ASSIGN_OR_RETURN(std::shared_ptr<const model::Model> model, model::Model::Load(model_path));
  ASSIGN_OR_RETURN(GivenVerdict verdict, ReadVerdict(context));
  RETURN_IF_ERROR(CheckSameModel(verdict, model_path));
  ASSIGN_OR_RETURN(std::unique_ptr<Project> project, Project::Open(context.project_root()));
  ASSIGN_OR_RETURN(objects::Store * store, project->Objects());
  ASSIGN_OR_RETURN(objects::Stored stored, store->PutPath(model_path));
  ASSIGN_OR_RETURN(registry::Store * registry, project->Registry());

  std::string name = context.Text("name");
  std::string model_id = stored.id.ToString();
  RETURN_IF_ERROR(CheckSameChampion(verdict, *registry, model_id));
  Result<registry::RegisteredModel> created =
      registry->CreateModel(name, context.Text("model_description"), {});
  if (!created.ok() && created.error().code() != ErrorCode::kAlreadyExists)
    return std::move(created).error();
  ASSIGN_OR_RETURN(std::optional<registry::ModelVersion> version,
                   FindSame(*registry, name, model_id, verdict));
  if (!version) {
    registry::NewVersion request;
    request.name = name;
    request.source = model_id;
    request.model_id = model_id;
    request.run_id = context.run_id();
    request.verdict = verdict.verdict;
    request.verdict_digest = verdict.digest;
    Result<std::string> provenance =
        io::RealFs().ReadFile(io::JoinPath(model_path, "provenance.json"));
    if (provenance.ok()) request.provenance = *provenance;
    ASSIGN_OR_RETURN(version, registry->CreateVersion(request));
  }

  // A model that passed becomes champion; what did not pass may be looked at, never served by that
  // name.
  std::string alias = context.Text("alias");
  if (alias.empty()) {
    alias =
        verdict.verdict == registry::Verdict::kPass ? registry::kChampion : registry::kChallenger;
  }
  Result<registry::AliasMove> move = registry->SetAlias({.name = name,
                                                         .alias = alias,
                                                         .version = version->version,
                                                         .user_id = "",
                                                         .reason = "pipeline run"});
  if (!move.ok()) return std::move(move).error();

  formats::Json json =
      formats::Json::MakeObject({{"version", 1},
                                 {"kind", "version"},
                                 {"name", name},
                                 {"model_version", version->version},
                                 {"alias", alias},
                                 {"model", model_id},
                                 {"verdict", registry::VerdictName(verdict.verdict)},
                                 {"verdict_digest", verdict.digest}});
  ASSIGN_OR_RETURN(std::string output, context.Output("version"));
  RETURN_IF_ERROR(WriteJsonFile(output, json));
  context.Tag("sluice.model_version", fmt::format("{}/{}", name, version->version));
  context.Summary(fmt::format("{} version {} as {}", name, version->version, alias));
  return Ok();
}

}  // namespace sluice::app
