#include "pipeline/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <set>

#include "base/suggest.h"

namespace sluice::pipeline {

namespace {

/// One cycle among the steps that no topological order reached: from any of them, parents that are
/// also unreached are followed until a step comes twice. Each step of the result is waited for by
/// the next.
std::vector<int> FindCycle(const Pipeline& pipeline, const std::vector<int>& open_parent_counts) {
  auto is_open = [&](int index) { return open_parent_counts[static_cast<size_t>(index)] > 0; };
  int at = 0;
  while (!is_open(at)) ++at;
  std::vector<int> position(pipeline.steps.size(), -1);
  std::vector<int> path;
  while (position[static_cast<size_t>(at)] < 0) {
    position[static_cast<size_t>(at)] = static_cast<int>(path.size());
    path.push_back(at);
    const std::vector<int>& parents = pipeline.steps[static_cast<size_t>(at)].parents;
    at = *std::find_if(parents.begin(), parents.end(), is_open);
  }
  std::vector<int> cycle(path.begin() + position[static_cast<size_t>(at)], path.end());
  std::reverse(cycle.begin(), cycle.end());
  std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
  return cycle;
}

Error CycleError(const Pipeline& pipeline, const std::vector<int>& cycle) {
  constexpr size_t kShownSteps = 12;
  std::string text;
  for (size_t i = 0; i < cycle.size(); ++i) {
    if (i == kShownSteps && cycle.size() > kShownSteps + 1) {
      text += fmt::format("({} more) → ", cycle.size() - i);
      break;
    }
    text += pipeline.steps[static_cast<size_t>(cycle[i])].name + " → ";
  }
  const Step& first = pipeline.steps[static_cast<size_t>(cycle[0])];
  std::string message =
      cycle.size() == 1
          ? fmt::format("step '{}' waits for itself", first.name)
          : fmt::format("these steps wait for each other in a circle: {}{}", text, first.name);
  return InvalidArgument(std::move(message)).At(first.source);
}

}  // namespace

std::string_view ParamTypeName(ParamType type) {
  switch (type) {
    case ParamType::kString: return "string";
    case ParamType::kInteger: return "int";
    case ParamType::kNumber: return "float";
    case ParamType::kBool: return "bool";
  }
  return "string";
}

std::string_view Step::KindName() const {
  return is_native() ? std::string_view(kind->name) : "command";
}

const Input* Step::FindInput(std::string_view wanted) const {
  for (const Input& input : inputs) {
    if (input.name == wanted) return &input;
  }
  return nullptr;
}

const Output* Step::FindOutput(std::string_view wanted) const {
  for (const Output& output : outputs) {
    if (output.name == wanted) return &output;
  }
  return nullptr;
}

int Pipeline::FindStep(std::string_view wanted) const {
  auto found = std::lower_bound(
      steps_by_name.begin(), steps_by_name.end(), wanted,
      [](const auto& entry, std::string_view name_) { return entry.first < name_; });
  return found != steps_by_name.end() && found->first == wanted ? found->second : -1;
}

const Param* Pipeline::FindParam(std::string_view wanted) const {
  for (const Param& param : params) {
    if (param.name == wanted) return &param;
  }
  return nullptr;
}

std::vector<std::string> Pipeline::StepNames() const {
  std::vector<std::string> names;
  names.reserve(steps.size());
  for (const Step& step : steps) names.push_back(step.name);
  return names;
}

Status Finalise(Pipeline& pipeline) {
  size_t count = pipeline.steps.size();
  pipeline.steps_by_name.clear();
  pipeline.children.assign(count, {});
  pipeline.order.clear();
  std::vector<int> open_parent_counts(count, 0);
  for (size_t i = 0; i < count; ++i) {
    const Step& step = pipeline.steps[i];
    pipeline.steps_by_name.emplace_back(step.name, static_cast<int>(i));
    open_parent_counts[i] = static_cast<int>(step.parents.size());
    for (int parent : step.parents)
      pipeline.children[static_cast<size_t>(parent)].push_back(static_cast<int>(i));
  }
  std::sort(pipeline.steps_by_name.begin(), pipeline.steps_by_name.end());

  // Kahn's algorithm; among the free steps the first in the file comes first.
  std::priority_queue<int, std::vector<int>, std::greater<>> free;
  for (size_t i = 0; i < count; ++i) {
    if (open_parent_counts[i] == 0) free.push(static_cast<int>(i));
  }
  while (!free.empty()) {
    int index = free.top();
    free.pop();
    pipeline.order.push_back(index);
    for (int child : pipeline.children[static_cast<size_t>(index)]) {
      if (--open_parent_counts[static_cast<size_t>(child)] == 0) free.push(child);
    }
  }
  if (pipeline.order.size() == count) return Ok();
  return CycleError(pipeline, FindCycle(pipeline, open_parent_counts));
}

Result<std::vector<int>> Select(const Pipeline& pipeline, std::span<const std::string> targets) {
  if (targets.empty()) return pipeline.order;
  std::vector<bool> is_selected(pipeline.steps.size(), false);
  std::vector<int> open;
  for (const std::string& target : targets) {
    std::string name = target.substr(0, target.find('.'));
    int index = pipeline.FindStep(name);
    if (index < 0) {
      return NotFound(fmt::format("pipeline '{}' has no step '{}'{}", pipeline.name, name,
                                  DidYouMean(name, pipeline.StepNames())));
    }
    if (name.size() < target.size()) {
      const Step& step = pipeline.steps[static_cast<size_t>(index)];
      std::string output = target.substr(name.size() + 1);
      std::vector<std::string> names;
      for (const Output& made : step.outputs) names.push_back(made.name);
      if (step.FindOutput(output) == nullptr) {
        return NotFound(
            fmt::format("step '{}' has no output '{}'{}", name, output, DidYouMean(output, names)));
      }
    }
    open.push_back(index);
  }
  while (!open.empty()) {
    size_t index = static_cast<size_t>(open.back());
    open.pop_back();
    if (is_selected[index]) continue;
    is_selected[index] = true;
    for (int parent : pipeline.steps[index].parents) open.push_back(parent);
  }
  std::vector<int> selected;
  for (int index : pipeline.order) {
    if (is_selected[static_cast<size_t>(index)]) selected.push_back(index);
  }
  return selected;
}

std::vector<SourcePattern> SourcePatterns(const Pipeline& pipeline, std::span<const int> steps) {
  std::set<std::pair<std::string, bool>> seen;
  for (int index : steps) {
    const Step& step = pipeline.steps[static_cast<size_t>(index)];
    for (const std::string& pattern : step.code) seen.emplace(pattern, true);
    for (const Input& input : step.inputs) {
      for (const InputItem& item : input.items) {
        if (item.is_files()) seen.emplace(item.pattern, false);
      }
    }
  }
  std::vector<SourcePattern> patterns;
  for (const auto& [pattern, is_code] : seen) {
    bool is_glob = pattern.find_first_of("*?[") != pattern.npos;
    patterns.push_back({.pattern = pattern, .is_glob = is_glob, .is_code = is_code});
  }
  return patterns;
}

}  // namespace sluice::pipeline
