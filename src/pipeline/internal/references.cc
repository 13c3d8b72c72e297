#include "pipeline/internal/references.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"
#include "pipeline/internal/keys.h"
#include "pipeline/parse.h"

namespace sluice::pipeline {

namespace {

constexpr std::string_view kGlobCharacters = "*?[";

bool IsInside(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

std::vector<std::string> OutputNames(const Step& step) {
  std::vector<std::string> names;
  for (const Output& output : step.outputs)
    names.push_back(fmt::format("{}.{}", step.name, output.name));
  return names;
}

/// A command reads anything; where a file of the project may stand, a file that a command makes may
/// too.
bool Fits(const PendingInput& pending, DataType type) {
  if (pending.row == nullptr || pending.row->type == type) return true;
  return pending.row->takes_files && type == DataType::kFile;
}

/// What an input takes, for messages.
std::string_view Noun(DataType type) {
  switch (type) {
    case DataType::kFile: return "a file";
    case DataType::kTable: return "a table";
    case DataType::kFeatures: return "fitted features";
    case DataType::kModel: return "a model";
    case DataType::kReport: return "a report";
    case DataType::kVerdict: return "a verdict";
  }
  return "a file";
}

bool TakesFiles(const PendingInput& pending) {
  return pending.row == nullptr || pending.row->takes_files;
}

}  // namespace

ReferenceResolver::ReferenceResolver(Reader& reader, const Pipeline& pipeline,
                                     std::vector<ParsedStep>& steps)
    : reader_(reader), errors_(reader.errors()), pipeline_(pipeline), steps_(steps) {
  for (size_t i = 0; i < steps.size(); ++i) {
    index_by_name_.emplace(steps[i].step.name, static_cast<int>(i));
    names_.push_back(steps[i].step.name);
    size_t node = 0;
    if (steps[i].step.is_native()) continue;
    for (const Output& output : steps[i].step.outputs) {
      for (const std::string& path : output.paths) {
        made_.push_back({path, static_cast<int>(i), output.name, steps[i].output_nodes[node++]});
      }
    }
  }
  std::stable_sort(made_.begin(), made_.end(),
                   [](const MadePath& a, const MadePath& b) { return a.path < b.path; });
}

void ReferenceResolver::ResolveAll() {
  CheckOutputPaths();
  for (size_t i = 0; i < steps_.size() && !errors_.is_full(); ++i) {
    Step& step = steps_[i].step;
    for (const PendingInput& pending : steps_[i].inputs) ResolveInput(i, pending);
    ResolveNeeds(i);
    CheckFilesAgainstOutputs(i);
    step.parents = step.needs;
    for (const Input& input : step.inputs) {
      for (const InputItem& item : input.items) {
        if (!item.is_files()) step.parents.push_back(item.producer_step);
      }
    }
    std::sort(step.parents.begin(), step.parents.end());
    step.parents.erase(std::unique(step.parents.begin(), step.parents.end()), step.parents.end());
  }
}

int ReferenceResolver::FindStep(std::string_view name) const {
  auto found = index_by_name_.find(name);
  return found == index_by_name_.end() ? -1 : found->second;
}

void ReferenceResolver::ResolveInput(size_t index, const PendingInput& pending) {
  const YamlNode& value = *pending.value;
  std::string what = fmt::format("'{}'", pending.name);
  Input input{.name = pending.name,
              .items = {},
              .is_list = value.is_sequence(),
              .type = pending.row != nullptr ? pending.row->type : DataType::kFile,
              .source = value.source()};
  if (value.is_sequence() && pending.row != nullptr && !pending.row->takes_list) {
    errors_.Add(value,
                fmt::format("{} takes {} and no list of them", what, Noun(pending.row->type)));
    return;
  }
  if (value.is_null() || (value.is_sequence() && value.items().empty())) {
    errors_.Add(value, fmt::format("{} is empty; name what the step reads", what));
    return;
  }
  for (const YamlNode* text : reader_.Texts(value, what)) ResolveItem(index, pending, *text, input);
  if (!input.items.empty()) steps_[index].step.inputs.push_back(std::move(input));
}

bool ReferenceResolver::LooksLikeFile(std::string_view text) const {
  if (text.starts_with("./") || text.find('/') != text.npos ||
      text.find_first_of(kGlobCharacters) != text.npos)
    return true;
  size_t dot = text.find('.');
  if (dot == text.npos) return false;
  // "prats.train" is rather a misspelt reference than a file without folder.
  std::string_view first = text.substr(0, dot);
  std::optional<std::string> nearest =
      NearestName(first, names_.size() <= 1'000 ? names_ : std::vector<std::string>());
  int step = nearest ? FindStep(*nearest) : -1;
  return step < 0 ||
         steps_[static_cast<size_t>(step)].step.FindOutput(text.substr(dot + 1)) == nullptr;
}

bool ReferenceResolver::IsFileBesideStep(std::string_view dot_and_rest, int producer) const {
  if (dot_and_rest.size() < 2) return false;
  const ParsedStep& parsed = steps_[static_cast<size_t>(producer)];
  std::string_view rest = dot_and_rest.substr(1);
  std::vector<std::string> names;
  for (const Output& output : parsed.step.outputs) names.push_back(output.name);
  return parsed.are_outputs_known && parsed.step.FindOutput(rest) == nullptr &&
         !NearestName(rest, names);
}

void ReferenceResolver::ResolveItem(size_t index, const PendingInput& pending, const YamlNode& node,
                                    Input& input) {
  const std::string& text = node.text();
  if (text.find("${") != text.npos) {
    errors_.Add(node, fmt::format("'{}' names files or steps, and ${{...}} cannot stand in it",
                                  pending.name));
    return;
  }
  std::string first = text.substr(0, text.find('.'));
  if (first == "datasets" && first.size() < text.size())
    return ResolveDataset(index, pending, node, input);
  if (int producer = FindStep(first); producer >= 0 && text.find('/') == text.npos) {
    bool is_file = TakesFiles(pending) && IsFileBesideStep(text.substr(first.size()), producer);
    return is_file ? ResolveFile(index, pending, node, input)
                   : ResolveOutput(index, pending, node, producer, input);
  }
  if (LooksLikeFile(text)) return ResolveFile(index, pending, node, input);
  // A word, or something like prats.train.
  std::string rest = text.substr(first.size());
  std::string hint;
  std::string suggestion = Suggestion(first, names_);
  if (size_t quote = suggestion.find('\''); quote != suggestion.npos) {
    hint = suggestion.substr(0, suggestion.rfind('\'')) + rest + "'?";
  }
  if (TakesFiles(pending))
    hint += fmt::format(" (a file of that name is ./{})", text.substr(0, 80));
  errors_.Add(node, fmt::format("there is no step '{}'{}", first.substr(0, 80), hint));
}

void ReferenceResolver::ResolveDataset(size_t index, const PendingInput& pending,
                                       const YamlNode& node, Input& input) {
  std::string name = node.text().substr(std::string_view("datasets.").size());
  auto dataset = std::find_if(pipeline_.datasets.begin(), pipeline_.datasets.end(),
                              [&](const Dataset& candidate) { return candidate.name == name; });
  if (dataset == pipeline_.datasets.end()) {
    std::vector<std::string> names;
    for (const Dataset& known : pipeline_.datasets) names.push_back(known.name);
    errors_.Add(node, fmt::format("there is no dataset '{}'{}", name.substr(0, 80),
                                  Suggestion(name, names)));
    return;
  }
  if (pending.row != nullptr && !pending.row->takes_files) {
    errors_.Add(node, fmt::format("'{}' takes {} made by a step, and a dataset is files; read it "
                                  "with an `ingest` step first",
                                  pending.name, Noun(pending.row->type)));
    return;
  }
  for (const std::string& pattern : dataset->patterns) {
    input.items.push_back({.pattern = pattern,
                           .is_glob = pattern.find_first_of(kGlobCharacters) != pattern.npos,
                           .written = node.text()});
  }
  if (dataset->patterns.size() > 1) input.is_list = true;
  TakeDatasetOptions(index, *dataset, node);
}

void ReferenceResolver::TakeDatasetOptions(size_t index, const Dataset& dataset,
                                           const YamlNode& node) {
  Step& step = steps_[index].step;
  if (!step.is_native() || !step.kind->takes_dataset_options) return;
  for (const auto& [name, value] : dataset.options.AsObject()) {
    auto given =
        std::find_if(step.settings.begin(), step.settings.end(),
                     [&wanted = name](const Setting& setting) { return setting.name == wanted; });
    if (given == step.settings.end()) {
      step.settings.push_back({.name = name, .value = value, .source = dataset.source});
    } else if (given->source.line == dataset.source.line || given->value == value) {
      continue;
    } else if (std::any_of(pipeline_.datasets.begin(), pipeline_.datasets.end(),
                           [&](const Dataset& other) {
                             return other.name != dataset.name && other.source == given->source;
                           })) {
      errors_.Add(
          node, fmt::format("the datasets of this step differ in '{}'; read them with a step each",
                            name));
    }
  }
}

void ReferenceResolver::ResolveFile(size_t, const PendingInput& pending, const YamlNode& node,
                                    Input& input) {
  if (pending.row != nullptr && !pending.row->takes_files) {
    errors_.Add(node, fmt::format("'{}' takes {} made by a step, not a file{}", pending.name,
                                  Noun(pending.row->type),
                                  pending.row->type == DataType::kTable
                                      ? "; read '" + node.text().substr(0, 80) +
                                            "' with an `ingest` step first"
                                      : ""));
    return;
  }
  Result<std::string> path = CheckProjectPath(node.text(), true);
  if (!path.ok()) {
    errors_.Add(std::move(path).error().At(node.source()));
    return;
  }
  bool is_glob = path->find_first_of(kGlobCharacters) != path->npos;
  input.items.push_back({.pattern = *path, .is_glob = is_glob, .written = node.text()});
}

void ReferenceResolver::ResolveOutput(size_t index, const PendingInput& pending,
                                      const YamlNode& node, int producer, Input& input) {
  const ParsedStep& parsed = steps_[static_cast<size_t>(producer)];
  const Step& step = parsed.step;
  const std::string& text = node.text();
  if (static_cast<size_t>(producer) == index) {
    errors_.Add(node, fmt::format("step '{}' reads what it makes itself", step.name));
    return;
  }
  if (!parsed.are_outputs_known) return;
  std::vector<std::string> fitting;
  for (const Output& output : step.outputs) {
    bool is_same = pending.row == nullptr || pending.row->type == output.type;
    if (is_same) fitting.push_back(fmt::format("{}.{}", step.name, output.name));
  }
  int found = -1;
  if (text.size() == step.name.size()) {
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i].is_main || step.outputs.size() == 1) found = static_cast<int>(i);
    }
    if (found < 0) {
      std::string list = fitting.empty() ? JoinNames(OutputNames(step)) : JoinNames(fitting);
      errors_.Add(
          node,
          step.outputs.empty()
              ? fmt::format("step '{0}' has no outputs; to run after it, write `needs: {0}`",
                            step.name)
              : fmt::format("step '{}' has several outputs; name one of {}", step.name, list));
      return;
    }
  } else {
    std::string wanted = text.substr(step.name.size() + 1);
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i].name == wanted) found = static_cast<int>(i);
    }
    if (found < 0) {
      std::string hint = Suggestion(text, OutputNames(step));
      if (hint.empty() && !step.outputs.empty())
        hint = fmt::format("; it has {}", JoinNames(OutputNames(step)));
      if (TakesFiles(pending))
        hint += fmt::format(" (a file of that name is ./{})", text.substr(0, 80));
      errors_.Add(node, fmt::format("step '{}' has no output '{}'{}", step.name,
                                    wanted.substr(0, 80), hint));
      return;
    }
  }
  const Output& output = step.outputs[static_cast<size_t>(found)];
  if (!Fits(pending, output.type)) {
    std::string hint = fitting.empty() ? "" : fmt::format("; {} would do", JoinNames(fitting));
    errors_.Add(
        node, fmt::format("'{}' takes {}, and {}.{} is {}{}", pending.name, Noun(pending.row->type),
                          step.name, output.name, Noun(output.type), hint));
    return;
  }
  input.items.push_back({.producer_step = producer,
                         .producer_output = found,
                         .pattern = "",
                         .is_glob = false,
                         .written = text});
}

void ReferenceResolver::ResolveNeeds(size_t index) {
  const YamlNode* needs = steps_[index].needs;
  if (needs == nullptr) return;
  Step& step = steps_[index].step;
  for (const YamlNode* text : reader_.Texts(*needs, "'needs'")) {
    int found = FindStep(text->text());
    if (found < 0) {
      std::string hint = Suggestion(text->text(), names_);
      if (hint.empty() && FindStep(text->text().substr(0, text->text().find('.'))) >= 0) {
        hint = "; 'needs' names steps, not their outputs";
      }
      errors_.Add(*text, fmt::format("there is no step '{}'{}", text->text().substr(0, 80), hint));
    } else if (static_cast<size_t>(found) == index) {
      errors_.Add(*text, fmt::format("step '{}' waits for itself", step.name));
    } else {
      step.needs.push_back(found);
    }
  }
  std::sort(step.needs.begin(), step.needs.end());
  step.needs.erase(std::unique(step.needs.begin(), step.needs.end()), step.needs.end());
}

void ReferenceResolver::CheckOutputPaths() {
  // Sorted by path with '/' before every other byte, all that is inside a folder would follow it at
  // once; here other names may stand between ("a", "a-b", "a/c"), so the folders around a path are
  // looked up.
  for (size_t i = 0; i < made_.size(); ++i) {
    const MadePath& made = made_[i];
    auto owner = [&](const MadePath& other) {
      return other.step == made.step
                 ? fmt::format("this step's output '{}'", other.output)
                 : fmt::format("step '{}'", steps_[static_cast<size_t>(other.step)].step.name);
    };
    if (made.path == "sluice.yaml")
      errors_.Add(*made.node, "'sluice.yaml' is the pipeline itself; write elsewhere");
    if (i > 0 && made_[i - 1].path == made.path) {
      errors_.Add(*made.node,
                  fmt::format("'{}' is made by {} already", made.path, owner(made_[i - 1])));
    }
    for (size_t slash = made.path.find('/'); slash != std::string::npos;
         slash = made.path.find('/', slash + 1)) {
      std::string folder = made.path.substr(0, slash);
      auto outer = std::lower_bound(
          made_.begin(), made_.end(), folder,
          [](const MadePath& a, const std::string& path) { return a.path < path; });
      if (outer == made_.end() || outer->path != folder) continue;
      errors_.Add(*made.node, fmt::format("'{}' is inside '{}', which {} makes", made.path, folder,
                                          owner(*outer)));
      break;
    }
  }
}

const ReferenceResolver::MadePath* ReferenceResolver::FindMade(const std::string& pattern) const {
  auto at_or_after = [&](const std::string& path) {
    return std::lower_bound(
        made_.begin(), made_.end(), path,
        [](const MadePath& a, const std::string& wanted) { return a.path < wanted; });
  };
  // The path itself, or a folder around it.
  std::string path = pattern.substr(0, pattern.find_first_of(kGlobCharacters));
  bool is_glob = path.size() < pattern.size();
  if (is_glob) path = path.substr(0, path.rfind('/') == path.npos ? 0 : path.rfind('/'));
  for (size_t end = path.size(); end != std::string::npos && end > 0;
       end = path.rfind('/', end - 1)) {
    std::string folder = path.substr(0, end);
    auto found = at_or_after(folder);
    if (found != made_.end() && found->path == folder) return &*found;
    if (end == 0) break;
  }
  // A folder that holds something made.
  if (is_glob || path.empty()) return nullptr;
  auto inner = at_or_after(path + "/");
  return inner != made_.end() && IsInside(inner->path, path) ? &*inner : nullptr;
}

void ReferenceResolver::CheckFilesAgainstOutputs(size_t index) {
  const ParsedStep& parsed = steps_[index];
  auto check = [&](const std::string& pattern, const YamlNode& node) {
    const MadePath* made = FindMade(pattern);
    if (made == nullptr) return;
    const Step& maker = steps_[static_cast<size_t>(made->step)].step;
    if (static_cast<size_t>(made->step) == index) {
      errors_.Add(node, fmt::format("'{}' is made by this step itself (output '{}')", pattern,
                                    made->output));
    } else {
      errors_.Add(
          node,
          fmt::format("'{}' is made by step '{}'; write {}.{}, so that one runs after the other",
                      pattern, maker.name, maker.name, made->output));
    }
  };
  for (const Input& input : parsed.step.inputs) {
    auto pending =
        std::find_if(parsed.inputs.begin(), parsed.inputs.end(),
                     [&](const PendingInput& candidate) { return candidate.name == input.name; });
    for (const InputItem& item : input.items) {
      if (item.is_files()) check(item.pattern, *pending->value);
    }
  }
  for (size_t i = 0; i < parsed.step.code.size(); ++i) {
    check(parsed.step.code[i],
          parsed.code_nodes[i] != nullptr ? *parsed.code_nodes[i] : *parsed.key);
  }
}

}  // namespace sluice::pipeline
