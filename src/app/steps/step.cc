#include "app/steps/step.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"

namespace sluice::app {

namespace {

constexpr int64_t kProgressIntervalNs = 50'000'000;

constexpr StepFunction kStepFunctions[] = {
    {"ingest", RunIngest},     {"validate", RunValidate}, {"profile", RunProfile},
    {"split", RunSplit},       {"features", RunFeatures}, {"train", RunTrain},
    {"evaluate", RunEvaluate}, {"gate", RunGate},         {"register", RunRegister},
    {"package", RunPackage},
};

}  // namespace

std::span<const StepFunction> StepFunctions() { return kStepFunctions; }

Result<std::unique_ptr<StepContext>> StepContext::Open(const std::string& request_path) {
  ASSIGN_OR_RETURN(formats::Json request, ReadJsonFile(request_path));
  std::unique_ptr<StepContext> context(new StepContext());
  auto read = [&]() -> Status {
    ASSIGN_OR_RETURN(int64_t version, request.GetInteger("version"));
    if (version != 1) return InvalidArgument(fmt::format("version {} is not 1", version));
    ASSIGN_OR_RETURN(context->step_, request.GetString("step"));
    ASSIGN_OR_RETURN(context->kind_, request.GetString("kind"));
    ASSIGN_OR_RETURN(context->project_root_, request.GetString("project"));
    ASSIGN_OR_RETURN(context->seed_, request.GetInteger("seed"));
    ASSIGN_OR_RETURN(const formats::Json* params, request.GetObject("params"));
    ASSIGN_OR_RETURN(const formats::Json* inputs, request.GetObject("inputs"));
    ASSIGN_OR_RETURN(const formats::Json* outputs, request.GetObject("outputs"));
    context->params_ = *params;
    context->inputs_ = *inputs;
    context->outputs_ = *outputs;
    context->thread_count_ =
        static_cast<int>(std::clamp<int64_t>(request.IntegerOr("threads", 1), 1, 1024));
    if (const formats::Json* names = request.Find("input_names")) context->input_names_ = *names;
    if (const formats::Json* provenance = request.Find("provenance"))
      context->provenance_ = *provenance;
    context->run_id_ = request.StringOr("run_id", "");
    return Ok();
  };
  Status status = read();
  if (!status.ok())
    return std::move(status).error().With(fmt::format("step request '{}'", request_path));
  if (std::string events = request.StringOr("events", ""); !events.empty()) {
    ASSIGN_OR_RETURN(context->events_, io::RealFs().OpenForAppend(events));
  }
  return context;
}

std::vector<std::string> StepContext::Texts(std::string_view name) const {
  std::vector<std::string> texts;
  const formats::Json* value = params_.Find(name);
  if (value == nullptr || value->is_null()) return texts;
  if (value->is_string()) return {value->AsString()};
  for (const formats::Json& item : value->AsArray()) texts.push_back(item.AsString());
  return texts;
}

Result<std::string> StepContext::Input(std::string_view name) const {
  ASSIGN_OR_RETURN(std::vector<std::string> paths, Inputs(name));
  if (paths.size() != 1) {
    return InvalidArgument(
        fmt::format("input '{}' is {} files, one was expected", name, paths.size()));
  }
  return paths[0];
}

Result<std::vector<std::string>> StepContext::Inputs(std::string_view name) const {
  const formats::Json* found = inputs_.Find(name);
  if (found == nullptr)
    return InvalidArgument(fmt::format("step '{}' has no input '{}'", step_, name));
  if (found->is_string()) return std::vector<std::string>{found->AsString()};
  std::vector<std::string> paths;
  for (const formats::Json& item : found->AsArray()) paths.push_back(item.AsString());
  return paths;
}

std::string StepContext::SourceName(std::string_view input) const {
  return input_names_.StringOr(input, input);
}

Result<std::string> StepContext::Output(std::string_view name) const {
  return outputs_.GetString(name);
}

void StepContext::Emit(const formats::Json& event) {
  if (!events_) return;
  // A reader tails the file: every line is written out at once.
  Status status = events_->Append(formats::PrintJson(event) + "\n");
  if (status.ok()) status = events_->Flush();
}

void StepContext::Progress(int64_t done, int64_t total, std::string_view unit) {
  int64_t now_ns = SystemClock().MonotonicNs();
  if (done < total && now_ns - last_progress_ns_ < kProgressIntervalNs) return;
  last_progress_ns_ = now_ns;
  Emit(formats::Json::MakeObject(
      {{"event", "progress"}, {"done", done}, {"total", total}, {"unit", unit}}));
}

void StepContext::Metric(std::string_view key, double value, int64_t step) {
  Emit(formats::Json::MakeObject(
      {{"event", "metric"}, {"key", key}, {"value", value}, {"step", step}}));
}

void StepContext::Param(std::string_view key, std::string_view value) {
  Emit(formats::Json::MakeObject({{"event", "param"}, {"key", key}, {"value", value}}));
}

void StepContext::Tag(std::string_view key, std::string_view value) {
  Emit(formats::Json::MakeObject({{"event", "tag"}, {"key", key}, {"value", value}}));
}

void StepContext::Warning(std::string_view text) {
  Emit(formats::Json::MakeObject({{"event", "warning"}, {"text", text}}));
}

void StepContext::Summary(std::string_view text) {
  Emit(formats::Json::MakeObject({{"event", "summary"}, {"text", text}}));
}

Status WriteJsonFile(const std::string& path, const formats::Json& json) {
  return io::RealFs().WriteFileAtomic(path, formats::PrintJson(json, {.indent = 1}) + "\n",
                                      io::Durability::kFast);
}

Result<formats::Json> ReadJsonFile(const std::string& path) {
  ASSIGN_OR_RETURN(std::string text, io::RealFs().ReadFile(path, int64_t{1} << 30));
  return formats::ParseJson(text, {.file = path});
}

std::string PrintCount(int64_t count) {
  std::string digits = fmt::format("{}", count < 0 ? -count : count);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return count < 0 ? "-" + digits : digits;
}

}  // namespace sluice::app
