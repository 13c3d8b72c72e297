#include "runner/testing/fake_executor.h"

#include <algorithm>

#include "formats/json.h"

namespace sluice::runner {
namespace {

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

FakeWorld::Attempt* FakeExecutor::Find(const std::string& directory) {
  for (FakeWorld::Attempt& attempt : world_->attempts) {
    if (attempt.spec.directory == directory) return &attempt;
  }
  return nullptr;
}

Status FakeExecutor::Start(const AttemptSpec& spec) {
  auto number =
      static_cast<size_t>(std::count(world_->started.begin(), world_->started.end(), spec.step));
  world_->started.push_back(spec.step);
  world_->specs.push_back(spec);
  FakeOutcome outcome;
  auto script = world_->script.find(spec.step);
  if (script != world_->script.end()) {
    outcome = script->second[std::min(number, script->second.size() - 1)];
  }
  outcome.record.start_ms = clock_.NowMs();
  world_->attempts.push_back({spec, outcome});
  watched_.push_back(spec.directory);
  auto running =
      std::count_if(world_->attempts.begin(), world_->attempts.end(),
                    [](const FakeWorld::Attempt& attempt) { return !attempt.has_ended; });
  world_->max_running_count = std::max(world_->max_running_count, static_cast<size_t>(running));
  return Ok();
}

Result<AttachOutcome> FakeExecutor::Attach(const std::string& directory) {
  watched_.push_back(directory);
  FakeWorld::Attempt* attempt = Find(directory);
  if (attempt == nullptr) return AttachOutcome::kLost;
  return attempt->has_ended ? AttachOutcome::kEnded : AttachOutcome::kRunning;
}

Result<std::vector<EndedAttempt>> FakeExecutor::Poll() {
  std::vector<EndedAttempt> ended;
  std::vector<std::string> running;
  for (const std::string& directory : watched_) {
    FakeWorld::Attempt* attempt = Find(directory);
    AttemptRecord lost;
    lost.reason = EndReason::kLost;
    if (attempt == nullptr) {
      ended.push_back({directory, lost});
    } else if (attempt->has_ended) {
      ended.push_back({directory, attempt->outcome.record});
    } else {
      running.push_back(directory);
    }
  }
  watched_ = std::move(running);
  return ended;
}

Status FakeExecutor::Wait(int64_t timeout_ms, int /*wake_fd*/) {
  for (const std::string& directory : watched_) {
    FakeWorld::Attempt* attempt = Find(directory);
    if (attempt == nullptr || attempt->has_ended) return Ok();
  }
  for (const std::string& directory : watched_) {
    FakeWorld::Attempt* attempt = Find(directory);
    if (!attempt->outcome.runs_until_cancelled) return End(*attempt);
  }
  clock_.AdvanceMs(timeout_ms);
  world_->waited_ms += timeout_ms;
  return Ok();
}

Status FakeExecutor::End(FakeWorld::Attempt& attempt) {
  clock_.AdvanceMs(5);
  const FakeOutcome& outcome = attempt.outcome;
  if (outcome.makes_outputs) RETURN_IF_ERROR(MakeOutputs(attempt));
  for (const auto& [path, content] : outcome.files) {
    std::string absolute = io::JoinPath(attempt.spec.cwd, path);
    RETURN_IF_ERROR(fs_.MakeDirectories(io::DirName(absolute)));
    RETURN_IF_ERROR(fs_.WriteFileAtomic(absolute, content, io::Durability::kFast));
  }
  attempt.has_ended = true;
  attempt.outcome.record.end_ms = clock_.NowMs();
  return Ok();
}

/// Plays `sluice step REQUEST`.
Status FakeExecutor::MakeNativeOutputs(const FakeWorld::Attempt& attempt) {
  ASSIGN_OR_RETURN(std::string text, fs_.ReadFile(attempt.spec.argv.back()));
  ASSIGN_OR_RETURN(formats::Json request, formats::ParseJson(text));
  std::string content = attempt.spec.step + "(";
  for (const auto& [name, value] : request.At("inputs").AsObject()) {
    formats::Json list = value.is_array() ? value : formats::Json(formats::Json::Array{value});
    for (const formats::Json& path : list.AsArray()) {
      ASSIGN_OR_RETURN(std::string input, fs_.ReadFile(path.AsString()));
      content += input + " ";
    }
  }
  content += ")";
  for (const auto& [name, path] : request.At("outputs").AsObject()) {
    RETURN_IF_ERROR(fs_.WriteFileAtomic(path.AsString(), content, io::Durability::kFast));
  }
  return Ok();
}

Status FakeExecutor::MakeOutputs(const FakeWorld::Attempt& attempt) {
  if (!attempt.spec.argv.empty() && attempt.spec.argv[0] == "sluice") {
    return MakeNativeOutputs(attempt);
  }
  std::string content = attempt.spec.step + "(";
  for (const auto& [name, value] : attempt.spec.env) {
    if (!name.starts_with("SLUICE_INPUT_")) continue;
    for (const std::string& path : SplitLines(value)) {
      ASSIGN_OR_RETURN(std::string input, fs_.ReadFile(io::JoinPath(attempt.spec.cwd, path)));
      content += input + " ";
    }
  }
  content += ")";
  for (const auto& [name, value] : attempt.spec.env) {
    if (!name.starts_with("SLUICE_OUTPUT_")) continue;
    for (const std::string& path : SplitLines(value)) {
      RETURN_IF_ERROR(fs_.WriteFileAtomic(io::JoinPath(attempt.spec.cwd, path), content,
                                          io::Durability::kFast));
    }
  }
  return Ok();
}

Status FakeExecutor::Cancel(const std::string& directory, CancelMode /*mode*/) {
  FakeWorld::Attempt* attempt = Find(directory);
  bool is_watched = std::count(watched_.begin(), watched_.end(), directory) > 0;
  if (attempt == nullptr || !is_watched) return NotFound("no attempt runs in '" + directory + "'");
  if (attempt->has_ended) return Ok();
  attempt->has_ended = true;
  attempt->outcome.record.reason = EndReason::kCancelled;
  attempt->outcome.record.end_ms = clock_.NowMs();
  return Ok();
}

Result<std::string> FakeExecutor::FetchLogs(const std::string& directory, LogStream stream,
                                            int64_t offset, size_t max_bytes) {
  FakeWorld::Attempt* attempt = Find(directory);
  if (attempt == nullptr) return NotFound("no attempt '" + directory + "'");
  const std::string& text =
      stream == LogStream::kStdout ? attempt->outcome.stdout_text : attempt->outcome.stderr_text;
  size_t begin = std::min(static_cast<size_t>(offset), text.size());
  return text.substr(begin, max_bytes);
}

}  // namespace sluice::runner
