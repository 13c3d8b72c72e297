// What would run and why. A Plan is made from values only; the scheduler then tells it what
// happened, and it says what is ready next. Linear in edges over its whole life. One thread at a
// time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "pipeline/cache_key.h"
#include "pipeline/graph.h"
#include "pipeline/params.h"

namespace sluice::pipeline {

enum class StepState : uint8_t {
  kNotSelected,  ///< not among the targets and their ancestors
  kWaits,        ///< its key is not known until what it reads is made
  kBlocked,      ///< cannot run: a source file is missing
  kCached,       ///< outputs of its key are in the run cache
  kReady,        ///< key known, nothing cached: start it
  kStarted,      ///< the scheduler said so
  kDone,         ///< ran and ended well in this run
  kFailed,       ///< ran and failed, for good
  kSkipped,      ///< something it waits for failed or is blocked
};
/// "cached", "run" (kReady), "waits", ...: one word, as the plan is printed.
std::string_view StepStateName(StepState state);

/// One reason for a step's state.
struct Reason {
  enum class Kind : uint8_t {
    kUnchanged,   ///< cached: same key as its last success
    kSeenBefore,  ///< cached: another key than last time, but one seen before
    kNeverRan,
    kForced,
    kCacheOff,        ///< `cache: false`
    kResultsGone,     ///< same key as last time, but the run cache no longer has its outputs
    kActionChanged,   ///< kind or command
    kFormatChanged,   ///< the step format's version
    kSettingChanged,  ///< subject is the path: "params.learning_rate"
    kParamChanged,    ///< a command's: "params.epochs"
    kEnvChanged,
    kInputChanged,
    kCodeChanged,
    kOutputsChanged,  ///< a command's declared outputs
    kEnvironmentChanged,
    kSeedChanged,
    kUpstream,        ///< subject will run (or is running), so its outputs are not known
    kUpstreamMayRun,  ///< subject itself waits: whether it runs is not known yet
    kUpstreamFailed,
    kMissingFile,
  };
  Kind kind = Kind::kNeverRan;
  std::string subject = {};  ///< what: a setting, input, file, step
  std::string before = {};   ///< printed value or short digest; empty: it was not there
  std::string after = {};

  /// "learning_rate changed from 0.08 to 0.1", "input train (parts.train) changed: 1f2e… → 9ab3…",
  /// "never ran".
  std::string ToText() const;
  friend bool operator==(const Reason&, const Reason&) = default;
};
/// "setting_changed", ...: for --json. Sent: never renamed.
std::string_view ReasonKindName(Reason::Kind kind);

/// Output digests in the order of Step::outputs (for an output of several paths, of the tree that
/// holds them).
using OutputDigests = std::vector<Digest>;

/// Everything outside the graph that a plan depends on.
struct PlanInputs {
  ParamValues params;
  /// Digest of the file, folder or all files a pattern matches, by SourcePattern::pattern; absent
  /// or empty: no such file.
  std::map<std::string, std::optional<Digest>, std::less<>> sources;
  Digest environment_lock;
  /// The run cache: outputs recorded for a key. Called at most once per step, when its key becomes
  /// known.
  std::function<std::optional<OutputDigests>(const Step& step, const Digest& key)> find_cached;
  /// Ingredients of each step's last success, by step name; for reasons only.
  std::map<std::string, Ingredients, std::less<>> last_successes;
  std::vector<std::string> targets;  ///< as for Select; empty: all steps
  std::vector<std::string> forced;   ///< steps that run even if cached
  bool is_all_forced = false;
};

/// A step in a plan.
struct PlannedStep {
  StepState state = StepState::kNotSelected;
  std::vector<Reason> reasons;             ///< at least one once selected
  std::optional<Digest> key;               ///< known when nothing it reads is missing
  std::optional<Ingredients> ingredients;  ///< with the key; record it after success
  formats::Json settings;                  ///< resolved, for the request
  OutputDigests outputs;                   ///< in kCached and kDone
  int waiting_count = 0;                   ///< parents that are neither cached nor done
};

/// Steps whose state a call has changed, in the order in which it did.
using ChangedSteps = std::vector<int>;

class Plan {
 public:
  /// Decides everything that can be known now. `pipeline` must outlive the plan.
  /// Errors: those of Select (targets, forced) and ResolveSettings.
  static Result<Plan> Make(const Pipeline& pipeline, PlanInputs inputs);

  const Pipeline& pipeline() const { return *pipeline_; }
  const PlannedStep& step(int index) const { return steps_[static_cast<size_t>(index)]; }
  const std::vector<int>& selected() const { return selected_; }  ///< topological order

  /// kReady steps, in topological order. O(steps): the scheduler keeps its own queue from the
  /// returned changes.
  std::vector<int> ReadySteps() const;
  /// No step is ready, started or waiting any more.
  bool is_finished() const { return open_count_ == 0; }
  int CountOf(StepState state) const { return counts_[static_cast<size_t>(state)]; }

  /// kReady → kStarted. Other states: CHECK.
  void Start(int index);
  /// kReady or kStarted → kDone with its output digests (one per output, CHECK). Children whose
  /// last open parent this was become kCached or kReady, and what a cached one opens in turn.
  ChangedSteps Finish(int index, OutputDigests outputs);
  /// kReady or kStarted → kFailed; all that wait for it, directly or not, become kSkipped.
  ChangedSteps Fail(int index);

 private:
  explicit Plan(const Pipeline& pipeline) : pipeline_(&pipeline) {}
  void SetState(int index, StepState state);
  void BlockIfMissing(int index, ChangedSteps& changed);
  Ingredients GatherIngredients(int index) const;
  void Decide(int index);
  void Settle(int index, ChangedSteps& changed);
  void ExplainWaiting(int index);
  void Skip(int index, std::string_view what_happened, ChangedSteps& changed);

  const Pipeline* pipeline_;
  PlanInputs inputs_;
  std::vector<PlannedStep> steps_;
  std::vector<int> selected_;
  std::vector<bool> is_forced_;
  int open_count_ = 0;
  std::array<int, 9> counts_{};  // by StepState
};

/// What differs between two runs' ingredients of one step, most telling first; empty if their keys
/// are equal.
std::vector<Reason> CompareIngredients(const Ingredients& before, const Ingredients& now);

/// The plan as lines of text, one per selected step in topological order:
///     "model     run     learning_rate changed from 0.08 to 0.1"
/// Names and states are padded to columns; further reasons follow on lines of their own, indented.
std::string PrintPlan(const Plan& plan);
/// All that is known about one step, for `sluice why STEP`: state, every reason, key and inputs
/// with digests.
std::string PrintWhy(const Plan& plan, int index);
/// {"version":1,"kind":"plan","steps":[{"name","kind","state","key"|null,"reasons":[{"kind","subject","before","after",
/// "text"}]}]}
formats::Json PlanToJson(const Plan& plan);

}  // namespace sluice::pipeline
