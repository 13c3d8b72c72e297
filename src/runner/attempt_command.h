// What the engine and the supervisor of an attempt say to each other through files in the attempt's
// folder. Needs only `base` and `io`, since the supervisor links nothing else. Persisted while an
// attempt runs: both programs come from one build, or the header line refuses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/subprocess.h"

namespace sluice::runner {

// Names inside an attempt's folder.
inline constexpr std::string_view kCommandFile = "command";  ///< engine → supervisor
inline constexpr std::string_view kLockFile = "lock";        ///< held (flock) while it is alive
inline constexpr std::string_view kSupervisorFile = "supervisor";  ///< who it is
inline constexpr std::string_view kRecordFile = "record.json";     ///< how the attempt ended
inline constexpr std::string_view kStdoutFile = "stdout.log";
inline constexpr std::string_view kStderrFile = "stderr.log";

/// Every process of an attempt finds its folder's cookie in this variable, so that none can hide by
/// leaving its group and session.
inline constexpr std::string_view kCookieVariable = "SLUICE_ATTEMPT_COOKIE";

/// What the supervisor is to run.
struct AttemptCommand {
  std::vector<std::string> argv;
  io::EnvPairs env;
  std::vector<std::string> secret_names;  ///< values come from the supervisor's own environment
  std::string cwd;
  std::string cookie;
  io::ProcessLimits limits;
  int64_t timeout_ms = 0;
  int64_t grace_ms = 0;
  int64_t max_log_bytes = 0;
};

/// Lines "name size\n", each followed by that many bytes and "\n": any byte may stand in a value.
/// Pure.
std::string EncodeCommand(const AttemptCommand& command);
/// Errors: kDataLoss naming what is wrong.
Result<AttemptCommand> DecodeCommand(std::string_view text);

/// A process that cannot be mistaken for a later one with the same number.
struct SupervisorIdentity {
  int pid = 0;
  uint64_t start_ticks = 0;  ///< since boot, as in /proc/PID/stat
  std::string boot_id;
  std::string cookie;
};

/// One line: "pid start_ticks boot_id cookie". Pure.
std::string EncodeIdentity(const SupervisorIdentity& identity);
/// Errors: kDataLoss.
Result<SupervisorIdentity> DecodeIdentity(std::string_view text);

}  // namespace sluice::runner
