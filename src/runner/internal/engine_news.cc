// What the engine hears from its attempts, and what it says at the end.
#include <fmt/format.h>

#include <algorithm>

#include "runner/internal/engine.h"

namespace sluice::runner {
namespace {

using formats::Json;

constexpr int64_t kErrorTailBytes = 8 << 10;
constexpr size_t kErrorTailLines = 30;
constexpr int64_t kMaxMetricFileBytes = 16 << 20;
constexpr size_t kMaxMetricCount = 10'000;  // from one file
constexpr size_t kMaxTextCount = 1'000;     // summary lines, warnings, params, tags of one step

/// "a" → 1, "b.c" → 2: every number below `json`.
void CollectNumbers(const Json& json, const std::string& prefix,
                    std::vector<std::pair<std::string, double>>& numbers) {
  if (numbers.size() >= kMaxMetricCount) return;
  if (json.is_number() && !prefix.empty()) {
    numbers.emplace_back(prefix, json.AsDouble());
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.AsObject()) {
      CollectNumbers(value, prefix.empty() ? key : prefix + "." + key, numbers);
    }
  }
}

std::string LastLines(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  size_t begin = text.size();
  for (size_t count = 0; count < kErrorTailLines && begin > 0; ++count) {
    size_t line = text.rfind('\n', begin - 1);
    begin = line == std::string_view::npos ? 0 : line;
  }
  text.remove_prefix(begin);
  if (text.starts_with('\n')) text.remove_prefix(1);
  return std::string(text);
}

std::string TextOf(const Json& event, std::string_view key) {
  const Json* value = event.Find(key);
  if (value == nullptr) return "";
  return value->is_string() ? value->AsString() : formats::PrintJson(*value);
}

}  // namespace

void Engine::TailEvents(Running& attempt, bool is_end) {
  auto take = [&](const Json& event) { TakeEvent(attempt, event); };
  while (attempt.events.Read(take) && is_end) {
  }
  if (is_end && attempt.events.bad_line_count() > 0) {
    std::string text = fmt::format(
        "{} lines of its events file were left out: too long or not what events look like",
        attempt.events.bad_line_count());
    attempt.facts.warnings.push_back(text);
    deps_.observer.OnWarning(attempt.info, text);
  }
}

void Engine::TakeEvent(Running& attempt, const Json& event) {
  std::string kind = event.StringOr("event", "");
  StepFacts& facts = attempt.facts;
  if (kind == "progress") {
    deps_.observer.OnProgress(attempt.info, event.DoubleOr("done", 0), event.DoubleOr("total", 0),
                              event.StringOr("unit", ""));
  } else if (kind == "metric") {
    Result<double> value = event.GetDouble("value");
    std::string key = event.StringOr("key", "");
    if (!value.ok() || key.empty()) return;
    if (facts.metrics.size() < kMaxMetricCount || facts.metrics.contains(key)) {
      facts.metrics[key] = *value;
    }
    deps_.observer.OnMetric(attempt.info, key, *value, event.IntegerOr("step", 0),
                            event.IntegerOr("timestamp_ms", deps_.clock.NowMs()));
  } else if (kind == "param" || kind == "tag") {
    std::string key = event.StringOr("key", "");
    std::string value = TextOf(event, "value");
    if (key.empty()) return;
    auto& map = kind == "param" ? facts.params : facts.tags;
    if (map.size() < kMaxTextCount) map[key] = value;
    if (kind == "param") {
      deps_.observer.OnParam(attempt.info, key, value);
    } else {
      deps_.observer.OnTag(attempt.info, key, value);
    }
  } else if (kind == "warning") {
    std::string text = TextOf(event, "text");
    if (facts.warnings.size() < kMaxTextCount) facts.warnings.push_back(text);
    deps_.observer.OnWarning(attempt.info, text);
  } else if (kind == "summary") {
    if (facts.summary.size() < kMaxTextCount) facts.summary.push_back(TextOf(event, "text"));
  }
}

Status Engine::LogMetricFiles(Running& attempt) {
  for (const pipeline::Output& output : attempt.info.step->outputs) {
    if (!output.is_metrics || attempt.info.step->is_native()) continue;
    for (const std::string& path : output.paths) {
      ASSIGN_OR_RETURN(std::string text, deps_.fs.ReadFile(io::JoinPath(request_.project, path),
                                                           kMaxMetricFileBytes));
      Result<Json> json = formats::ParseJson(text, {.file = path, .allow_nan_and_infinity = true});
      if (!json.ok()) {
        return std::move(json).error().With(fmt::format("output '{}' holds metrics", output.name));
      }
      std::vector<std::pair<std::string, double>> numbers;
      CollectNumbers(*json, "", numbers);
      for (const auto& [key, value] : numbers) {
        attempt.facts.metrics[key] = value;
        deps_.observer.OnMetric(attempt.info, key, value, 0, deps_.clock.NowMs());
      }
    }
  }
  return Ok();
}

std::string Engine::ErrorText(const AttemptInfo& attempt, const AttemptRecord& record) {
  const std::string& directory = attempt.directory;
  std::string text = record.ToString();
  if (record.reason == EndReason::kStartFailed) return text;
  struct Source {
    LogStream stream;
    int64_t kept_bytes;
  };
  for (Source source :
       {Source{LogStream::kStderr, record.stderr_bytes - record.stderr_dropped_bytes},
        Source{LogStream::kStdout, record.stdout_bytes - record.stdout_dropped_bytes}}) {
    Result<std::string> log = deps_.executor.FetchLogs(
        directory, source.stream, std::max<int64_t>(0, source.kept_bytes - kErrorTailBytes),
        2 * kErrorTailBytes);
    if (!log.ok()) continue;
    std::string lines = LastLines(*log);
    if (lines.empty()) continue;
    // A native step says itself why it ends with 1.
    if (attempt.step->is_native() && record.reason == EndReason::kExited &&
        lines.starts_with("error: ")) {
      return lines.substr(std::string_view("error: ").size());
    }
    return text + "\n" + lines;
  }
  return text;
}

StepRow Engine::RowOf(const StepOutcome& outcome, std::string_view state) const {
  StepRow row;
  row.run_id = run_id_;
  row.step = outcome.name;
  row.state = state;
  row.reason = outcome.reason;
  row.error = outcome.error;
  if (outcome.key) row.cache_key = outcome.key->ToHex();
  row.attempt_count = outcome.attempt_count;
  if (outcome.start_ms > 0) row.start_ms = outcome.start_ms;
  if (outcome.end_ms > 0) row.end_ms = outcome.end_ms;
  return row;
}

Result<RunSummary> Engine::Summarise() {
  RunSummary summary;
  summary.run_id = run_id_;
  summary.start_ms = start_ms_;
  std::vector<StepRow> rows;
  std::vector<std::pair<std::string, Digest>> used;
  for (int index : planned_->plan.selected()) {
    StepOutcome& outcome = OutcomeOf(index);
    if (outcome.result == StepResult::kNotRun) {
      bool was_started = outcome.attempt_count > 0;  // between two attempts
      FinishStep(index, was_started ? StepResult::kCancelled : StepResult::kNotRun,
                 "the run ended before its turn");
    }
    bool is_bad = outcome.result == StepResult::kFailed || outcome.result == StepResult::kSkipped ||
                  outcome.result == StepResult::kBlocked;
    bool is_cut_off =
        outcome.result == StepResult::kCancelled || outcome.result == StepResult::kNotRun;
    if (is_bad || (is_cut_off && is_failing_fast_)) summary.state = RunSummary::State::kFailed;
    if (is_cut_off && summary.state == RunSummary::State::kSucceeded) {
      summary.state = RunSummary::State::kCancelled;
    }
    if (!is_row_final_[static_cast<size_t>(index)] || outcome.result != StepResult::kCached) {
      rows.push_back(RowOf(outcome, StepResultName(outcome.result)));
    }
    if (outcome.result == StepResult::kCached && outcome.key &&
        !planned_->cache->IsLastSuccess(outcome.name, *outcome.key)) {
      used.emplace_back(outcome.name, *outcome.key);
    }
    summary.steps.push_back(outcome);
  }
  if (stop_count_ > 0 && summary.state != RunSummary::State::kSucceeded) {
    summary.state = RunSummary::State::kCancelled;
  }
  summary.end_ms = deps_.clock.NowMs();
  RETURN_IF_ERROR(cache_.MarkUsed(request_.pipeline->name, run_id_, summary.end_ms, used));
  RETURN_IF_ERROR(
      history_.EndRun(run_id_, RunStateName(summary.state), summary.end_ms, rows,
                      has_executed_ ? io::Durability::kDurable : io::Durability::kFast));
  RETURN_IF_ERROR(deps_.stat_cache.Save());
  if (has_executed_) RETURN_IF_ERROR(Clean());
  deps_.observer.OnRunFinished(summary);
  return summary;
}

/// Logs of old runs, and checkouts that no step of this run has read.
Status Engine::Clean() {
  RETURN_IF_ERROR(step_io_.RemoveOldCheckouts());
  ASSIGN_OR_RETURN(std::vector<std::string> kept,
                   history_.ListRunsWithAttempts(std::max(1, request_.kept_run_count)));
  std::string folder = io::JoinPath(request_.project, kAttemptsFolder);
  ASSIGN_OR_RETURN(std::vector<std::string> names, deps_.fs.ListDirectory(folder));
  for (const std::string& name : names) {
    if (std::find(kept.begin(), kept.end(), name) != kept.end()) continue;
    RETURN_IF_ERROR(deps_.fs.RemoveTree(io::JoinPath(folder, name)));
  }
  return Ok();
}

}  // namespace sluice::runner
