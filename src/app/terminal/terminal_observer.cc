#include "app/terminal/terminal_observer.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/clock.h"

namespace sluice::app {

namespace {

constexpr std::chrono::milliseconds kFrame{100};

TableStyle CurrentStyle() {
  TableStyle style;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.width = size.ws_col;
    style.height = size.ws_row;
  }
  style.has_color = std::getenv("NO_COLOR") == nullptr;
  return style;
}

StepLook LookOf(runner::StepResult result) {
  switch (result) {
    case runner::StepResult::kCached: return StepLook::kCached;
    case runner::StepResult::kSucceeded: return StepLook::kDone;
    case runner::StepResult::kFailed:
    case runner::StepResult::kBlocked: return StepLook::kFailed;
    case runner::StepResult::kSkipped:
    case runner::StepResult::kNotRun: return StepLook::kSkipped;
    case runner::StepResult::kCancelled: return StepLook::kCancelled;
  }
  return StepLook::kWaiting;
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string DetailOf(const runner::StepOutcome& outcome) {
  if (!outcome.error.empty()) return FirstLine(outcome.error);
  if (!outcome.facts.summary.empty()) return outcome.facts.summary.back();
  return outcome.reason;
}

void Write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

bool IsLiveTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

TerminalObserver::TerminalObserver(bool is_live) : is_live_(is_live) {}
TerminalObserver::~TerminalObserver() = default;

StepLine* TerminalObserver::LineOf(State& state, int step_index) {
  if (step_index < 0 || static_cast<size_t>(step_index) >= state.line_of_step.size())
    return nullptr;
  int line = state.line_of_step[static_cast<size_t>(step_index)];
  return line < 0 ? nullptr : &state.lines[static_cast<size_t>(line)];
}

void TerminalObserver::OnPlan(const std::string& /*run_id*/, const pipeline::Plan& plan) {
  state_.With([&](State& state) {
    size_t drawn = state.drawn_line_count;
    state = State{};
    state.drawn_line_count = drawn;
    state.is_changed = true;
    state.line_of_step.assign(plan.pipeline().steps.size(), -1);
    for (int index : plan.selected()) {
      state.line_of_step[static_cast<size_t>(index)] = static_cast<int>(state.lines.size());
      StepLine line;
      line.name = plan.pipeline().steps[static_cast<size_t>(index)].name;
      if (!plan.step(index).reasons.empty()) line.detail = plan.step(index).reasons[0].ToText();
      state.lines.push_back(std::move(line));
    }
  });
  if (is_live_ && !painter_)
    painter_ = std::make_unique<Periodic>("terminal", kFrame, [this] { Draw(); });
}

void TerminalObserver::OnAttemptStarted(const runner::AttemptInfo& attempt) {
  state_.With([&](State& state) {
    if (StepLine* line = LineOf(state, attempt.step_index)) {
      line->look = StepLook::kRunning;
      if (line->start_ms == 0) line->start_ms = SystemClock().NowMs();
      line->done = line->total = 0;
      line->progress_since_ms = 0;
      if (attempt.is_adopted) line->detail = "taken over from an interrupted run";
      state.is_changed = true;
    }
  });
  if (!is_live_) {
    Write(fmt::format("{:<10} {}{}\n", "running", attempt.step->name,
                      attempt.number > 1 ? fmt::format(" (attempt {})", attempt.number) : ""));
  }
}

void TerminalObserver::OnProgress(const runner::AttemptInfo& attempt, double done, double total,
                                  std::string_view unit) {
  state_.With([&](State& state) {
    StepLine* line = LineOf(state, attempt.step_index);
    if (line == nullptr) return;
    if (line->progress_since_ms == 0) {
      line->progress_since_ms = SystemClock().NowMs();
      line->progress_begin = done;
    }
    line->done = done;
    line->total = total;
    line->unit = unit;
    state.is_changed = true;
  });
}

void TerminalObserver::OnAttemptFinished(const runner::AttemptInfo& attempt,
                                         const runner::AttemptRecord& /*record*/,
                                         std::string_view error, int64_t retry_in_ms) {
  if (retry_in_ms < 0) return;
  std::string text =
      fmt::format("{}; next attempt in {}", FirstLine(error), PrintDuration(retry_in_ms));
  state_.With([&](State& state) {
    if (StepLine* line = LineOf(state, attempt.step_index)) line->detail = text;
    state.is_changed = true;
  });
  if (!is_live_) Write(fmt::format("{:<10} {}: {}\n", "retry", attempt.step->name, text));
}

void TerminalObserver::OnStepFinished(const runner::StepOutcome& outcome) {
  StepLook look = LookOf(outcome.result);
  std::string detail = DetailOf(outcome);
  state_.With([&](State& state) {
    if (StepLine* line = LineOf(state, outcome.step)) {
      line->look = look;
      line->detail = detail;
      line->start_ms = outcome.start_ms;
      line->end_ms = outcome.end_ms;
      state.is_changed = true;
    }
  });
  if (is_live_) return;
  std::string time = outcome.start_ms > 0 ? PrintDuration(outcome.end_ms - outcome.start_ms) : "";
  Write(fmt::format("{:<10} {:<20} {:<10} {}\n", StepLookName(look), outcome.name, time, detail));
  for (const std::string& warning : outcome.facts.warnings)
    Write(fmt::format("           warning: {}\n", warning));
}

void TerminalObserver::Draw() {
  std::vector<StepLine> lines;
  size_t drawn_before = 0;
  bool is_due = state_.With([&](State& state) {
    bool is_running = false;
    for (const StepLine& line : state.lines)
      is_running = is_running || line.look == StepLook::kRunning;
    if (!state.is_changed && !is_running) return false;
    lines = state.lines;
    drawn_before = state.drawn_line_count;
    state.is_changed = false;
    return true;
  });
  if (!is_due) return;
  std::vector<std::string> rendered = RenderStepTable(lines, SystemClock().NowMs(), CurrentStyle());
  std::string frame = drawn_before > 0 ? fmt::format("\x1b[{}A", drawn_before) : "";
  for (const std::string& line : rendered) frame += "\r" + line + "\x1b[K\n";
  if (rendered.size() < drawn_before) frame += "\x1b[J";
  state_.With([&](State& state) { state.drawn_line_count = rendered.size(); });
  Write(frame);
}

void TerminalObserver::OnRunFinished(const runner::RunSummary& summary) {
  if (!is_live_) return;
  painter_.reset();
  state_.With([](State& state) { state.is_changed = true; });
  Draw();
  for (const runner::StepOutcome& outcome : summary.steps) {
    for (const std::string& warning : outcome.facts.warnings) {
      Write(fmt::format("  warning, {}: {}\n", outcome.name, warning));
    }
  }
}

std::string PrintRunSummary(const runner::RunSummary& summary, const std::string& report_path) {
  using runner::StepResult;
  std::string text;
  for (const runner::StepOutcome& step : summary.steps) {
    // What was skipped failed at a step that is named here itself.
    if (step.result == StepResult::kFailed || step.result == StepResult::kBlocked)
      text += fmt::format("\n{} failed: {}\n", step.name, step.error);
  }
  std::vector<std::pair<std::string, std::string>> metrics;  // of each evaluation
  std::string version;
  std::string verdict;
  for (const runner::StepOutcome& step : summary.steps) {
    std::string measured;
    for (std::string_view name :
         {"roc_auc", "roc_auc_ovr", "accuracy", "log_loss", "rmse", "mae", "r2"}) {
      auto found = step.facts.metrics.find(std::string(name));
      if (found != step.facts.metrics.end())
        measured += fmt::format("  {} {:.4f}", name, found->second);
    }
    if (!measured.empty()) metrics.emplace_back(step.name, std::move(measured));
    if (auto tag = step.facts.tags.find("sluice.model_version"); tag != step.facts.tags.end())
      version = tag->second;
    if (auto tag = step.facts.tags.find("sluice.verdict"); tag != step.facts.tags.end())
      verdict = tag->second;
  }
  text += fmt::format(
      "\nrun {} {} in {}: {} cached, {} run", summary.run_id.substr(0, 8),
      runner::RunStateName(summary.state), PrintDuration(summary.end_ms - summary.start_ms),
      summary.CountOf(StepResult::kCached), summary.CountOf(StepResult::kSucceeded));
  for (StepResult result : {StepResult::kFailed, StepResult::kBlocked, StepResult::kSkipped,
                            StepResult::kCancelled, StepResult::kNotRun}) {
    if (int count = summary.CountOf(result))
      text += fmt::format(", {} {}", count, runner::StepResultName(result));
  }
  text += "\n";
  for (const auto& [step, measured] : metrics) {
    text += metrics.size() == 1 ? fmt::format("metrics {}\n", measured)
                                : fmt::format("metrics   {}:{}\n", step, measured);
  }
  if (!verdict.empty()) text += fmt::format("verdict   {}\n", verdict);
  if (!report_path.empty()) text += fmt::format("report    {}\n", report_path);
  for (const runner::StepOutcome& step : summary.steps) {
    if (step.result == StepResult::kFailed)
      text += fmt::format("next      sluice log {}\n", step.name);
  }
  if (summary.state == runner::RunSummary::State::kCancelled)
    text += "next      sluice run    (goes on where it stopped)\n";
  // What failed its gate is there to be looked at, not to be served.
  bool is_served_next = verdict.empty() || verdict == "pass";
  if (!version.empty() && is_served_next &&
      summary.state == runner::RunSummary::State::kSucceeded) {
    text += fmt::format("next      sluice serve models:/{}\n", version);
  }
  return text;
}

}  // namespace sluice::app
