#include "pipeline/testing/scenario.h"

#include <fmt/format.h>

#include <deque>
#include <sstream>
#include <vector>

#include "pipeline/parse.h"
#include "pipeline/plan.h"
#include "pipeline/testing/kinds.h"

namespace sluice::pipeline {

namespace {

struct Section {
  std::string command;  // "plan a b"
  std::string body;
};

std::vector<Section> ReadSections(std::string_view text) {
  std::vector<Section> sections;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("--- ")) {
      sections.push_back({.command = line.substr(4), .body = ""});
    } else if (!sections.empty()) {
      sections.back().body += line + "\n";
    }
  }
  return sections;
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// What the sections before have left behind.
class World {
 public:
  explicit World(std::string file) : file_(std::move(file)) {}

  /// What the section prints; its own body for those that print nothing.
  std::string Play(const Section& section) {
    std::vector<std::string> words = Words(section.command);
    if (words.empty()) return section.body;
    if (words[0] == "pipeline") return ReadPipeline(section);
    if (words[0] == "files") return SetFiles(section);
    if (words[0] == "params") return SetParams(section);
    if (words[0] == "lock") lock_ = ComputeSha256(section.body);
    if (words[0] == "forget") cache_.clear();
    bool is_played = !pipeline_.steps.empty();
    if (is_played && (words[0] == "plan" || words[0] == "why" || words[0] == "run"))
      return PlayPlan(words);
    return section.body;
  }

 private:
  std::string ReadPipeline(const Section& section) {
    ParseOutcome outcome = ParsePipelineFully(section.body, file_, TestKinds());
    if (!outcome.pipeline) return outcome.errors.front().ToString() + "\n";
    pipeline_ = *std::move(outcome.pipeline);
    return section.body;
  }

  std::string SetFiles(const Section& section) {
    std::istringstream lines(section.body);
    for (std::string line; std::getline(lines, line);) {
      std::vector<std::string> words = Words(line);
      if (words.size() == 3) files_[words[0]] = ComputeSha256(words[2]);
      if (words.size() == 2) files_.erase(words[0]);
    }
    return section.body;
  }

  std::string SetParams(const Section& section) {
    params_.clear();
    std::istringstream lines(section.body);
    for (std::string line; std::getline(lines, line);) {
      std::vector<std::string> words = Words(line);
      if (words.size() == 3) params_.emplace_back(words[0], words[2]);
    }
    return section.body;
  }

  std::string PlayPlan(const std::vector<std::string>& words) {
    PlanInputs inputs;
    Result<ParamValues> values = ResolveParams(pipeline_, params_);
    if (!values.ok()) return values.error().ToString() + "\n";
    inputs.params = *std::move(values);
    for (const auto& [pattern, digest] : files_) inputs.sources[pattern] = digest;
    inputs.environment_lock = lock_;
    inputs.last_successes = last_successes_;
    inputs.find_cached = [this](const Step&, const Digest& key) -> std::optional<OutputDigests> {
      auto found = cache_.find(key);
      if (found == cache_.end()) return std::nullopt;
      return found->second;
    };
    for (size_t i = 1; i < words.size(); ++i) {
      if (words[i] == "!")
        inputs.is_all_forced = true;
      else if (words[i].starts_with('!'))
        inputs.forced.push_back(words[i].substr(1));
      else if (words[0] != "why")
        inputs.targets.push_back(words[i]);
    }
    Result<Plan> plan = Plan::Make(pipeline_, std::move(inputs));
    if (!plan.ok()) return plan.error().ToString() + "\n";
    if (words[0] == "why") return PrintWhy(*plan, pipeline_.FindStep(words.at(1)));
    return words[0] == "run" ? Run(*plan) : PrintPlan(*plan);
  }

  std::string Run(Plan& plan) {
    std::string log;
    std::vector<int> first = plan.ReadySteps();
    std::deque<int> ready(first.begin(), first.end());
    for (int index : plan.selected()) {
      if (plan.step(index).state == StepState::kCached) Record(plan, index);
    }
    while (!ready.empty()) {
      int index = ready.front();
      ready.pop_front();
      plan.Start(index);
      const Step& step = pipeline_.steps[static_cast<size_t>(index)];
      bool fails = step.description == "fails";
      for (int changed : fails ? plan.Fail(index) : plan.Finish(index, MakeOutputs(plan, index))) {
        StepState state = plan.step(changed).state;
        log += fmt::format("{} {}\n", pipeline_.steps[static_cast<size_t>(changed)].name,
                           StepStateName(state));
        if (state == StepState::kReady) ready.push_back(changed);
        if (state == StepState::kDone || state == StepState::kCached) Record(plan, changed);
      }
    }
    CHECK(plan.is_finished());
    return log;
  }

  OutputDigests MakeOutputs(const Plan& plan, int index) const {
    const Step& step = pipeline_.steps[static_cast<size_t>(index)];
    OutputDigests digests;
    for (const Output& output : step.outputs) {
      std::string made_from =
          step.description == "constant" ? step.name : plan.step(index).key->ToHex();
      digests.push_back(ComputeSha256(made_from + "/" + output.name));
    }
    return digests;
  }

  void Record(const Plan& plan, int index) {
    const PlannedStep& planned = plan.step(index);
    const Step& step = pipeline_.steps[static_cast<size_t>(index)];
    if (step.is_cacheable) cache_[*planned.key] = planned.outputs;
    last_successes_[step.name] = *planned.ingredients;
  }

  std::string file_;
  Pipeline pipeline_;
  std::map<std::string, Digest> files_;
  std::vector<std::pair<std::string, std::string>> params_;
  Digest lock_;
  std::map<Digest, OutputDigests> cache_;
  std::map<std::string, Ingredients, std::less<>> last_successes_;
};

}  // namespace

std::string PlayScenario(std::string_view text, const std::string& file) {
  World world(file);
  std::string played(text.substr(0, text.find("--- ")));
  for (const Section& section : ReadSections(text)) {
    std::string body = section.body;
    std::string actual = world.Play(section);
    // An empty line before the next section is for the reader.
    if (!actual.ends_with("\n\n") && body.ends_with("\n\n")) actual += "\n";
    if (body == "\n" && actual.empty()) actual = body;
    played += "--- " + section.command + "\n" + actual;
  }
  return played;
}

}  // namespace sluice::pipeline
