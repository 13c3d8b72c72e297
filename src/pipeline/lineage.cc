#include "pipeline/lineage.h"

#include <algorithm>
#include <map>
#include <optional>

namespace sluice::pipeline {

namespace {

using formats::Json;

/// What an edge carries: the digest of one input item, once it is known.
std::optional<Digest> DigestOf(const Plan& plan, int index, const Input& input,
                               const InputItem& item) {
  if (!item.is_files()) {
    const OutputDigests& outputs = plan.step(item.producer_step).outputs;
    if (outputs.empty()) return std::nullopt;
    return outputs[static_cast<size_t>(item.producer_output)];
  }
  const std::optional<Ingredients>& ingredients = plan.step(index).ingredients;
  if (!ingredients) return std::nullopt;
  for (const InputIngredient& known : ingredients->inputs) {
    if (known.name == input.name && known.pattern == item.pattern) return known.digest;
  }
  return std::nullopt;
}

Json DigestJson(const std::optional<Digest>& digest) {
  return digest ? Json(digest->ToHex()) : Json();
}

Json Edge(std::string from, std::string to, Json output, Json input,
          const std::optional<Digest>& digest) {
  return Json::MakeObject({{"from", std::move(from)},
                           {"to", std::move(to)},
                           {"output", std::move(output)},
                           {"input", std::move(input)},
                           {"digest", DigestJson(digest)}});
}

}  // namespace

Json LineageToJson(const Plan& plan) {
  const Pipeline& pipeline = plan.pipeline();
  std::map<std::string, std::optional<Digest>> files;
  std::vector<int> levels(pipeline.steps.size(), 0);
  Json edges = Json::MakeArray();
  Json step_nodes = Json::MakeArray();
  for (int index : plan.selected()) {
    const Step& step = pipeline.steps[static_cast<size_t>(index)];
    std::string id = "step:" + step.name;
    int& level = levels[static_cast<size_t>(index)];
    for (const Input& input : step.inputs) {
      for (const InputItem& item : input.items) {
        std::optional<Digest> digest = DigestOf(plan, index, input, item);
        if (item.is_files()) {
          std::optional<Digest>& known = files[item.pattern];
          if (!known) known = digest;
          level = std::max(level, 1);
          edges.Append(Edge("files:" + item.pattern, id, nullptr, input.name, digest));
          continue;
        }
        const Step& producer = pipeline.steps[static_cast<size_t>(item.producer_step)];
        const std::string& output =
            producer.outputs[static_cast<size_t>(item.producer_output)].name;
        edges.Append(Edge("step:" + producer.name, id, output, input.name, digest));
      }
    }
    for (int parent : step.parents)
      level = std::max(level, levels[static_cast<size_t>(parent)] + 1);
    for (int need : step.needs) {
      edges.Append(
          Edge("step:" + pipeline.steps[static_cast<size_t>(need)].name, id, nullptr, nullptr, {}));
    }
    step_nodes.Append(Json::MakeObject({{"id", id},
                                        {"type", "step"},
                                        {"label", step.name},
                                        {"step_kind", step.KindName()},
                                        {"level", level},
                                        {"state", StepStateName(plan.step(index).state)}}));
  }
  Json nodes = Json::MakeArray();
  for (const auto& [pattern, digest] : files) {
    nodes.Append(Json::MakeObject({{"id", "files:" + pattern},
                                   {"type", "files"},
                                   {"label", pattern},
                                   {"level", 0},
                                   {"digest", DigestJson(digest)}}));
  }
  for (Json& node : step_nodes.AsArray()) nodes.Append(std::move(node));
  return Json::MakeObject({{"version", 1},
                           {"kind", "lineage"},
                           {"pipeline", pipeline.name},
                           {"nodes", std::move(nodes)},
                           {"edges", std::move(edges)}});
}

Json ProvenanceToJson(const Plan& plan, int index) {
  const Pipeline& pipeline = plan.pipeline();
  std::vector<bool> is_ancestor(pipeline.steps.size(), false);
  std::vector<int> queue{index};
  is_ancestor[static_cast<size_t>(index)] = true;
  for (size_t at = 0; at < queue.size(); ++at) {
    for (int parent : pipeline.steps[static_cast<size_t>(queue[at])].parents) {
      if (is_ancestor[static_cast<size_t>(parent)]) continue;
      is_ancestor[static_cast<size_t>(parent)] = true;
      queue.push_back(parent);
    }
  }
  Json steps = Json::MakeArray();
  for (int ancestor : pipeline.order) {
    if (!is_ancestor[static_cast<size_t>(ancestor)]) continue;
    const Step& step = pipeline.steps[static_cast<size_t>(ancestor)];
    const PlannedStep& planned = plan.step(ancestor);
    Json entry = Json::MakeObject({{"name", step.name}, {"kind", step.KindName()}});
    if (planned.key) entry["key"] = planned.key->ToHex();
    if (planned.ingredients) entry["ingredients"] = IngredientsToJson(*planned.ingredients);
    if (!planned.outputs.empty()) {
      Json outputs = Json::MakeObject();
      for (size_t i = 0; i < planned.outputs.size(); ++i) {
        outputs[step.outputs[i].name] = planned.outputs[i].ToHex();
      }
      entry["outputs"] = std::move(outputs);
    }
    steps.Append(std::move(entry));
  }
  return Json::MakeObject({{"version", 1},
                           {"kind", "provenance"},
                           {"pipeline", pipeline.name},
                           {"steps", std::move(steps)}});
}

}  // namespace sluice::pipeline
