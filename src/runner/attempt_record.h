// How an attempt ended: the one file its supervisor leaves behind, `record.json` in the attempt's
// folder. Persisted; fields may be added, never renamed.
//
//   {"version":1,"reason":"exited","exit_code":0,"signal":0,"start_ms":...,"end_ms":...,"user_ms":...,
//    "system_ms":...,"max_rss_bytes":...,"stdout_bytes":...,"stderr_bytes":...,"stdout_dropped_bytes":0,
//    "stderr_dropped_bytes":0,"boot_id":"...","message":""}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::runner {

/// Why an attempt is over.
enum class EndReason : uint8_t {
  kExited,       ///< by itself; look at exit_code
  kSignalled,    ///< by a signal that was not ours (crash, out-of-memory killer)
  kTimeout,      ///< we stopped it: its time was up
  kCancelled,    ///< we stopped it: somebody asked
  kStartFailed,  ///< the program could not be started; `message` says why
  kLost,         ///< the supervisor died and left no record; never written to a file
};
/// "exited", "signalled", "timeout", "cancelled", "start_failed", "lost". Persisted.
std::string_view EndReasonName(EndReason reason);
Result<EndReason> ParseEndReason(std::string_view name);

struct AttemptRecord {
  EndReason reason = EndReason::kExited;
  int exit_code = 0;  ///< for kExited
  int signal = 0;  ///< for kSignalled, kTimeout, kCancelled: what ended it; 0 if it exited in time
  int64_t start_ms = 0;  ///< wall clock, since epoch UTC
  int64_t end_ms = 0;
  int64_t user_ms = 0;  ///< CPU time of all processes that were waited for
  int64_t system_ms = 0;
  int64_t max_rss_bytes = 0;  ///< of the largest process
  int64_t stdout_bytes = 0;   ///< printed, whether kept or not
  int64_t stderr_bytes = 0;
  int64_t stdout_dropped_bytes = 0;  ///< beyond the limit, not in the log
  int64_t stderr_dropped_bytes = 0;
  std::string boot_id;  ///< of the kernel; a record from before a reboot says nothing about files
  std::string message;  ///< for kStartFailed

  bool ok() const { return reason == EndReason::kExited && exit_code == 0; }
  /// "exit code 3", "signal 11 (Segmentation fault)", "stopped after its timeout", ...
  std::string ToString() const;
};

/// Pure. The line above, with a line end.
std::string PrintRecord(const AttemptRecord& record);
/// Errors: kDataLoss naming what is missing or wrong.
Result<AttemptRecord> ParseRecord(std::string_view text);

}  // namespace sluice::runner
