// Why a step runs: comparing what goes into it now with what went into it last time.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "pipeline/plan.h"

namespace sluice::pipeline {

namespace {

using formats::Json;
using Kind = Reason::Kind;

constexpr size_t kShownValueBytes = 60;

std::string Shown(const Json& value) {
  std::string text = ValueText(value);
  if (text.size() <= kShownValueBytes) return text;
  return std::string(CutUtf8(text, kShownValueBytes)) + "...";
}

const Json* FindIn(const std::vector<std::pair<std::string, Json>>& members,
                   std::string_view name) {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

/// One reason for each leaf that differs.
class ValueDiff {
 public:
  ValueDiff(Kind kind, std::vector<Reason>& reasons) : kind_(kind), reasons_(reasons) {}

  void Compare(const std::string& path, const Json& before, const Json& now) {
    if (before == now) return;
    if (before.is_object() && now.is_object() && before.size() + now.size() > 0) {
      size_t reason_count = reasons_.size();
      CompareMembers(path + ".", before.AsObject(), now.AsObject());
      if (reasons_.size() > reason_count) return;  // else only the order differs
    }
    bool are_lists = before.is_array() && now.is_array() && before.size() == now.size();
    if (are_lists) {
      for (size_t i = 0; i < now.size(); ++i)
        Compare(fmt::format("{}[{}]", path, i), before.At(i), now.At(i));
      return;
    }
    reasons_.push_back(
        {.kind = kind_, .subject = path, .before = Shown(before), .after = Shown(now)});
  }

  void CompareMembers(const std::string& prefix,
                      const std::vector<std::pair<std::string, Json>>& before,
                      const std::vector<std::pair<std::string, Json>>& now) {
    for (const auto& [name, value] : now) {
      const Json* old = FindIn(before, name);
      if (old != nullptr) {
        Compare(prefix + name, *old, value);
      } else {
        reasons_.push_back(
            {.kind = kind_, .subject = prefix + name, .before = "", .after = Shown(value)});
      }
    }
    for (const auto& [name, value] : before) {
      if (FindIn(now, name) != nullptr) continue;
      reasons_.push_back(
          {.kind = kind_, .subject = prefix + name, .before = Shown(value), .after = ""});
    }
  }

 private:
  Kind kind_;
  std::vector<Reason>& reasons_;
};

std::string Joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

void CompareInputs(const Ingredients& before, const Ingredients& now,
                   std::vector<Reason>& reasons) {
  // Items of one input are told apart by their place in it.
  auto named = [](const std::vector<InputIngredient>& inputs) {
    std::vector<std::pair<std::pair<std::string, int>, const InputIngredient*>> result;
    for (const InputIngredient& input : inputs) {
      bool is_next = !result.empty() && result.back().first.first == input.name;
      result.push_back({{input.name, is_next ? result.back().first.second + 1 : 0}, &input});
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    return result;
  };
  auto subject = [](const InputIngredient& input) {
    return input.origin.empty() || input.origin == input.name
               ? input.name
               : fmt::format("{} ({})", input.name, input.origin);
  };
  auto old_inputs = named(before.inputs);
  auto new_inputs = named(now.inputs);
  size_t i = 0;
  size_t j = 0;
  while (i < old_inputs.size() || j < new_inputs.size()) {
    bool is_old_only = j == new_inputs.size() ||
                       (i < old_inputs.size() && old_inputs[i].first < new_inputs[j].first);
    bool is_new_only = i == old_inputs.size() ||
                       (j < new_inputs.size() && new_inputs[j].first < old_inputs[i].first);
    if (is_old_only) {
      const InputIngredient& input = *old_inputs[i++].second;
      reasons.push_back({.kind = Kind::kInputChanged,
                         .subject = subject(input),
                         .before = input.digest.ToShort(),
                         .after = ""});
      continue;
    }
    if (is_new_only) {
      const InputIngredient& input = *new_inputs[j++].second;
      reasons.push_back(
          {.kind = Kind::kInputChanged,
           .subject = subject(input),
           .before = "",
           .after = input.digest == Digest() ? std::string() : input.digest.ToShort()});
      continue;
    }
    const InputIngredient& old_input = *old_inputs[i++].second;
    const InputIngredient& new_input = *new_inputs[j++].second;
    // What is not made yet has no digest, and may come out as it was: no change to speak of.
    if (new_input.digest == Digest() && old_input.pattern == new_input.pattern) continue;
    if (old_input.digest != new_input.digest) {
      reasons.push_back({.kind = Kind::kInputChanged,
                         .subject = subject(new_input),
                         .before = old_input.digest.ToShort(),
                         .after = new_input.digest.ToShort()});
    } else if (old_input.pattern != new_input.pattern) {
      reasons.push_back({.kind = Kind::kInputChanged,
                         .subject = new_input.name,
                         .before = old_input.origin,
                         .after = new_input.origin});
    }
  }
}

void CompareCode(const Ingredients& before, const Ingredients& now, std::vector<Reason>& reasons) {
  auto find = [](const std::vector<CodeIngredient>& code, const std::string& pattern) {
    return std::find_if(code.begin(), code.end(),
                        [&](const CodeIngredient& file) { return file.pattern == pattern; });
  };
  for (const CodeIngredient& file : now.code) {
    auto old = find(before.code, file.pattern);
    std::string before_text = old == before.code.end() ? "" : old->digest.ToShort();
    if (old != before.code.end() && old->digest == file.digest) continue;
    reasons.push_back({.kind = Kind::kCodeChanged,
                       .subject = file.pattern,
                       .before = before_text,
                       .after = file.digest.ToShort()});
  }
  for (const CodeIngredient& file : before.code) {
    if (find(now.code, file.pattern) != now.code.end()) continue;
    reasons.push_back({.kind = Kind::kCodeChanged,
                       .subject = file.pattern,
                       .before = file.digest.ToShort(),
                       .after = ""});
  }
}

std::vector<std::pair<std::string, Json>> AsValues(
    const std::vector<std::pair<std::string, std::string>>& texts) {
  return {texts.begin(), texts.end()};
}

/// "SUBJECT changed from A to B", "SUBJECT is new: B", "SUBJECT is gone (was A)".
std::string ChangeText(std::string_view subject, const Reason& reason) {
  if (reason.before.empty()) return fmt::format("{} is new: {}", subject, reason.after);
  if (reason.after.empty()) return fmt::format("{} is gone (was {})", subject, reason.before);
  return fmt::format("{} changed from {} to {}", subject, reason.before, reason.after);
}

std::string DigestText(std::string_view what, const Reason& reason) {
  if (reason.before.empty() && reason.after.empty())
    return fmt::format("{} {} is new", what, reason.subject);
  if (reason.before.empty())
    return fmt::format("{} {} is new: {}", what, reason.subject, reason.after);
  if (reason.after.empty())
    return fmt::format("{} {} is gone (was {})", what, reason.subject, reason.before);
  return fmt::format("{} {} changed: {} → {}", what, reason.subject, reason.before, reason.after);
}

}  // namespace

std::string Reason::ToText() const {
  switch (kind) {
    case Kind::kUnchanged: return "nothing it depends on has changed";
    case Kind::kSeenBefore: return "seen before: an earlier run made it from the same";
    case Kind::kNeverRan: return "never ran";
    case Kind::kForced: return "forced";
    case Kind::kCacheOff: return "cache: false";
    case Kind::kResultsGone: return "its results are no longer stored";
    case Kind::kActionChanged: return ChangeText(subject, *this);
    case Kind::kFormatChanged: return ChangeText("the step's format version", *this);
    case Kind::kSettingChanged: return ChangeText(subject, *this);
    case Kind::kParamChanged: return ChangeText("params." + subject, *this);
    case Kind::kEnvChanged: return ChangeText("env " + subject, *this);
    case Kind::kInputChanged: return DigestText("input", *this);
    case Kind::kCodeChanged: return DigestText("code", *this);
    case Kind::kOutputsChanged: return ChangeText("output " + subject, *this);
    case Kind::kEnvironmentChanged:
      return fmt::format("environment changed: {} → {}", before, after);
    case Kind::kSeedChanged: return ChangeText("seed", *this);
    case Kind::kUpstream: return fmt::format("upstream {} will run", subject);
    case Kind::kUpstreamMayRun: return fmt::format("upstream {} may run", subject);
    case Kind::kUpstreamFailed: return fmt::format("upstream {} {}", subject, after);
    case Kind::kMissingFile: return fmt::format("no such file: {}", subject);
  }
  return "";
}

std::string_view ReasonKindName(Kind kind) {
  switch (kind) {
    case Kind::kUnchanged: return "unchanged";
    case Kind::kSeenBefore: return "seen_before";
    case Kind::kNeverRan: return "never_ran";
    case Kind::kForced: return "forced";
    case Kind::kCacheOff: return "cache_off";
    case Kind::kResultsGone: return "results_gone";
    case Kind::kActionChanged: return "action_changed";
    case Kind::kFormatChanged: return "format_changed";
    case Kind::kSettingChanged: return "setting_changed";
    case Kind::kParamChanged: return "param_changed";
    case Kind::kEnvChanged: return "env_changed";
    case Kind::kInputChanged: return "input_changed";
    case Kind::kCodeChanged: return "code_changed";
    case Kind::kOutputsChanged: return "outputs_changed";
    case Kind::kEnvironmentChanged: return "environment_changed";
    case Kind::kSeedChanged: return "seed_changed";
    case Kind::kUpstream: return "upstream";
    case Kind::kUpstreamMayRun: return "upstream_may_run";
    case Kind::kUpstreamFailed: return "upstream_failed";
    case Kind::kMissingFile: return "missing_file";
  }
  return "";
}

std::vector<Reason> CompareIngredients(const Ingredients& before, const Ingredients& now) {
  std::vector<Reason> reasons;
  if (before.kind != now.kind) {
    // Everything else differs as well, and would only hide this.
    return {{.kind = Kind::kActionChanged,
             .subject = "the kind",
             .before = before.kind,
             .after = now.kind}};
  }
  if (before.words != now.words) {
    reasons.push_back({.kind = Kind::kActionChanged,
                       .subject = "the command",
                       .before = Shown(Joined(before.words)),
                       .after = Shown(Joined(now.words))});
  }
  if (before.format_version != now.format_version) {
    reasons.push_back({.kind = Kind::kFormatChanged,
                       .subject = "",
                       .before = std::to_string(before.format_version),
                       .after = std::to_string(now.format_version)});
  }
  ValueDiff(Kind::kSettingChanged, reasons)
      .CompareMembers("", before.settings.AsObject(), now.settings.AsObject());
  ValueDiff(Kind::kParamChanged, reasons).CompareMembers("", before.params, now.params);
  ValueDiff(Kind::kEnvChanged, reasons).CompareMembers("", AsValues(before.env), AsValues(now.env));
  CompareCode(before, now, reasons);
  CompareInputs(before, now, reasons);
  auto outputs = [](const Ingredients& ingredients) {
    std::vector<std::pair<std::string, Json>> values;
    for (const auto& [name, paths] : ingredients.outputs) values.emplace_back(name, Joined(paths));
    return values;
  };
  ValueDiff(Kind::kOutputsChanged, reasons).CompareMembers("", outputs(before), outputs(now));
  if (before.environment_lock != now.environment_lock) {
    reasons.push_back({.kind = Kind::kEnvironmentChanged,
                       .subject = "environment",
                       .before = before.environment_lock.ToShort(),
                       .after = now.environment_lock.ToShort()});
  }
  if (before.seed != now.seed) {
    reasons.push_back({.kind = Kind::kSeedChanged,
                       .subject = "seed",
                       .before = std::to_string(before.seed),
                       .after = std::to_string(now.seed)});
  }
  return reasons;
}

}  // namespace sluice::pipeline
