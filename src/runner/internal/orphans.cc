#include "runner/internal/orphans.h"

#include "base/log.h"

namespace sluice::runner {
namespace {

constexpr int64_t kWaitMs = 1'000;

}  // namespace

Status Orphans::Load() {
  ASSIGN_OR_RETURN(std::vector<AttemptRow> rows, history_.ListOpenAttempts());
  for (AttemptRow& row : rows) {
    Orphan orphan;
    orphan.directory = io::JoinPath(project_, row.directory);
    orphan.row = std::move(row);
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, deps_.fs.Stat(orphan.directory));
    if (!info) {  // written down, but the engine ended before it made the folder
      RETURN_IF_ERROR(Close(orphan, EndReasonName(EndReason::kLost)));
      continue;
    }
    RETURN_IF_ERROR(deps_.executor.Attach(orphan.directory));
    by_directory_.emplace(orphan.directory, std::move(orphan));
  }
  if (by_directory_.empty()) return Ok();
  ASSIGN_OR_RETURN(std::vector<EndedAttempt> ended, deps_.executor.Poll());
  for (const EndedAttempt& attempt : ended) RETURN_IF_ERROR(NoteEnd(attempt));
  return Ok();
}

Result<bool> Orphans::NoteEnd(const EndedAttempt& ended) {
  auto found = by_directory_.find(ended.directory);
  if (found == by_directory_.end()) return false;
  if (ended.record.ok()) {
    found->second.record = ended.record;
    return true;
  }
  RETURN_IF_ERROR(Close(found->second, EndReasonName(ended.record.reason)));
  by_directory_.erase(found);
  return true;
}

/// The logs stay, half-made outputs do not.
Status Orphans::Close(const Orphan& orphan, std::string_view state) {
  RETURN_IF_ERROR(deps_.fs.RemoveTree(io::JoinPath(orphan.directory, "out")));
  return history_.EndAttempt(orphan.row.directory, state, deps_.clock.NowMs());
}

Status Orphans::StopUnwanted(const std::function<bool(const Orphan&)>& is_wanted) {
  size_t running_count = 0;
  for (auto place = by_directory_.begin(); place != by_directory_.end();) {
    Orphan& orphan = place->second;
    if (is_wanted(orphan)) {
      ++place;
      continue;
    }
    if (orphan.record) {
      RETURN_IF_ERROR(Close(orphan, EndReasonName(orphan.record->reason)));
      place = by_directory_.erase(place);
      continue;
    }
    Log(LogLevel::kInfo, "stopping step '{}' of an interrupted run", orphan.row.step);
    RETURN_IF_ERROR(deps_.executor.Cancel(orphan.directory, CancelMode::kGraceful));
    ++running_count;
    ++place;
  }
  // An attempt ends at the latest after its grace time; its supervisor sees to that.
  while (running_count > 0) {
    RETURN_IF_ERROR(deps_.executor.Wait(kWaitMs, -1));
    ASSIGN_OR_RETURN(std::vector<EndedAttempt> ended, deps_.executor.Poll());
    for (EndedAttempt& attempt : ended) {
      auto found = by_directory_.find(attempt.directory);
      if (found == by_directory_.end()) {
        others_ends_.push_back(std::move(attempt));
        continue;
      }
      bool is_unwanted = !is_wanted(found->second);
      ASSIGN_OR_RETURN(bool is_ours, NoteEnd(attempt));
      if (is_unwanted && is_ours) --running_count;
      // It ended well just before it was told to stop; still nobody wants it.
      found = by_directory_.find(attempt.directory);
      if (is_unwanted && found != by_directory_.end()) {
        RETURN_IF_ERROR(Close(found->second, EndReasonName(attempt.record.reason)));
        by_directory_.erase(found);
      }
    }
  }
  return Ok();
}

std::optional<Orphan> Orphans::Take(std::string_view step, std::string_view key) {
  for (auto place = by_directory_.begin(); place != by_directory_.end(); ++place) {
    if (place->second.row.step != step || place->second.row.cache_key != key) continue;
    Orphan orphan = std::move(place->second);
    by_directory_.erase(place);
    return orphan;
  }
  return std::nullopt;
}

}  // namespace sluice::runner
