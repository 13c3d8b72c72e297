#include "runner/internal/attempt_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "pipeline/lineage.h"

namespace sluice::runner {
namespace {

using formats::Json;

bool IsList(const pipeline::Pipeline& pipeline, const pipeline::Input& input) {
  if (input.is_list || input.items.size() != 1) return true;
  const pipeline::InputItem& item = input.items[0];
  if (item.is_files()) return item.is_glob;
  const pipeline::Step& producer = pipeline.steps[static_cast<size_t>(item.producer_step)];
  return producer.outputs[static_cast<size_t>(item.producer_output)].paths.size() > 1;
}

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (!text.empty()) text.push_back('\n');
    text += line;
  }
  return text;
}

int ThreadCount(const pipeline::Resources& resources) {
  if (resources.thread_count > 0) return resources.thread_count;
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// The shape is part of the contract with `sluice step`:
/// {"version","step","kind","params","inputs","outputs","seed","threads","events","project","run_id",
/// "input_names": what a person wrote for each input, "provenance": for kinds that take it}.
Json NativeRequest(const RunRequest& request, const AttemptInfo& attempt,
                   const pipeline::Plan& plan, const pipeline::NamedPaths& inputs) {
  const pipeline::Step& step = *attempt.step;
  const pipeline::PlannedStep& planned = plan.step(attempt.step_index);
  Json input_paths = Json::MakeObject();
  Json input_names = Json::MakeObject();
  for (const pipeline::Input& input : step.inputs) {
    Json list = Json::MakeArray();
    for (const std::string& path : inputs.find(input.name)->second) {
      list.Append(io::JoinPath(request.project, path));
    }
    input_names[input.name] = input.items.empty() ? "" : input.items[0].written;
    bool is_list = IsList(*request.pipeline, input);
    input_paths[input.name] = is_list ? std::move(list) : list.At(0);
  }
  Json output_paths = Json::MakeObject();
  for (const pipeline::Output& output : step.outputs) {
    output_paths[output.name] = io::JoinPath(attempt.directory, "out/" + output.paths[0]);
  }
  Json json = Json::MakeObject({
      {"version", 1},
      {"step", step.name},
      {"kind", step.KindName()},
      {"params", planned.settings},
      {"inputs", std::move(input_paths)},
      {"outputs", std::move(output_paths)},
      {"seed", request.pipeline->SeedOf(step)},
      {"threads", ThreadCount(request.environment.ResourcesOf(step.name))},
      {"events", io::JoinPath(attempt.directory, "events.jsonl")},
      {"project", request.project},
      {"run_id", attempt.run_id},
      {"input_names", std::move(input_names)},
  });
  if (step.kind->takes_provenance) {
    json["provenance"] = pipeline::ProvenanceToJson(plan, attempt.step_index);
  }
  return json;
}

void AddAll(io::EnvPairs& env, const io::EnvPairs& more) {
  env.insert(env.end(), more.begin(), more.end());
}

/// The later of two equal names wins: the caller's, ours, the environment's, the step's, the
/// observer's.
io::EnvPairs StepEnv(const RunRequest& request, const RunDeps& deps, const AttemptInfo& attempt,
                     const pipeline::NamedPaths& inputs, const pipeline::NamedPaths& outputs) {
  const pipeline::Step& step = *attempt.step;
  io::EnvPairs env = InheritedEnv(deps.caller_env);
  // Compiled files beside the sources would change the digest of `code: src/**`.
  env.emplace_back("PYTHONDONTWRITEBYTECODE", "1");
  env.emplace_back("PYTHONUNBUFFERED", "1");
  env.emplace_back("PYTHONHASHSEED", "0");
  env.emplace_back("SLUICE_PROJECT", request.project);
  env.emplace_back("SLUICE_RUN_ID", attempt.run_id);
  env.emplace_back("SLUICE_STEP", step.name);
  env.emplace_back("SLUICE_ATTEMPT", std::to_string(attempt.number));
  env.emplace_back("SLUICE_SEED", std::to_string(request.pipeline->SeedOf(step)));
  env.emplace_back("SLUICE_PARAMS", io::JoinPath(attempt.directory, "params.json"));
  env.emplace_back("SLUICE_EVENTS", io::JoinPath(attempt.directory, "events.jsonl"));
  int thread_count = request.environment.ResourcesOf(step.name).thread_count;
  if (thread_count > 0) {
    env.emplace_back("SLUICE_THREADS", std::to_string(thread_count));
    env.emplace_back("OMP_NUM_THREADS", std::to_string(thread_count));
  }
  for (const auto& [name, paths] : inputs) {
    env.emplace_back("SLUICE_INPUT_" + EnvName(name), JoinLines(paths));
  }
  for (const auto& [name, paths] : outputs) {
    env.emplace_back("SLUICE_OUTPUT_" + EnvName(name), JoinLines(paths));
  }
  AddAll(env, request.environment.env);
  return env;
}

}  // namespace

std::string EnvName(std::string_view name) {
  std::string upper;
  for (char c : name) {
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool is_digit = c >= '0' && c <= '9';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    upper.push_back(is_letter || is_digit ? c : '_');
  }
  return upper;
}

Status FindInputs(const pipeline::Pipeline& pipeline, const pipeline::Step& step,
                  const SourcesByPattern& sources, StepIo& step_io, const OutputsOf& outputs_of,
                  InputPaths& found) {
  for (const pipeline::Input& input : step.inputs) {
    std::vector<std::string>& paths = found.paths[input.name];
    for (const pipeline::InputItem& item : input.items) {
      if (item.is_files()) {
        const SourceFiles& files = sources.find(item.pattern)->second;
        paths.insert(paths.end(), files.paths.begin(), files.paths.end());
        continue;
      }
      const pipeline::Step& producer = pipeline.steps[static_cast<size_t>(item.producer_step)];
      const pipeline::Output& output = producer.outputs[static_cast<size_t>(item.producer_output)];
      if (!producer.is_native()) {
        paths.insert(paths.end(), output.paths.begin(), output.paths.end());
        continue;
      }
      found.bad_producer = item.producer_step;
      const StepOutput& stored =
          outputs_of(item.producer_step)[static_cast<size_t>(item.producer_output)];
      ASSIGN_OR_RETURN(std::string path, step_io.CheckOut(stored.stored.id, output.paths[0]));
      found.bad_producer = -1;
      paths.push_back(std::move(path));
    }
  }
  return Ok();
}

Result<AttemptSpec> BuildAttempt(const RunRequest& request, const RunDeps& deps,
                                 const AttemptInfo& attempt, const pipeline::Plan& plan,
                                 const pipeline::NamedPaths& inputs) {
  const pipeline::Step& step = *attempt.step;
  const pipeline::Resources& resources = request.environment.ResourcesOf(step.name);
  AttemptSpec spec;
  spec.directory = attempt.directory;
  spec.step = step.name;
  spec.cwd = request.project;
  spec.secret_names = request.environment.secrets;
  spec.limits.address_space_bytes = resources.memory_bytes;
  spec.timeout_ms = step.timeout_ms;
  if (resources.time_ms > 0 && (spec.timeout_ms == 0 || resources.time_ms < spec.timeout_ms)) {
    spec.timeout_ms = resources.time_ms;
  }
  spec.grace_ms = request.grace_ms;
  spec.max_log_bytes = request.max_log_bytes;
  RETURN_IF_ERROR(deps.fs.MakeDirectories(step.is_native() ? io::JoinPath(spec.directory, "out")
                                                           : spec.directory));
  pipeline::NamedPaths outputs;
  if (step.is_native()) {
    std::string path = io::JoinPath(spec.directory, "request.json");
    RETURN_IF_ERROR(deps.fs.WriteFileAtomic(
        path, formats::PrintJson(NativeRequest(request, attempt, plan, inputs)),
        io::Durability::kFast));
    spec.argv = deps.native_command;
    spec.argv.push_back(path);
    spec.env = StepEnv(request, deps, attempt, {}, {});
  } else {
    for (const pipeline::Output& output : step.outputs) outputs[output.name] = output.paths;
    Json params = Json::MakeObject();
    for (const std::string& name : step.params) params[name] = request.params.find(name)->second;
    RETURN_IF_ERROR(deps.fs.WriteFileAtomic(io::JoinPath(spec.directory, "params.json"),
                                            formats::PrintJson(params), io::Durability::kFast));
    ASSIGN_OR_RETURN(
        pipeline::StartedCommand command,
        pipeline::ExpandCommand(*request.pipeline, step, request.params, inputs, outputs));
    spec.argv = std::move(command.argv);
    spec.env = StepEnv(request, deps, attempt, inputs, outputs);
    AddAll(spec.env, command.env);
  }
  AddAll(spec.env, deps.observer.AttemptEnv(attempt));
  return spec;
}

}  // namespace sluice::runner
