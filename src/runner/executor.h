// Where attempts run. An executor submits, polls, cancels and fetches; it knows nothing of graphs.
// testing/executor_contract.h is the suite every implementation passes. What a newcomer gets wrong:
// an attempt outlives the executor object; a new one takes it over with Attach.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/subprocess.h"
#include "runner/attempt_record.h"

namespace sluice::runner {

/// One attempt, ready to start.
struct AttemptSpec {
  std::string directory;  ///< absolute, exists, empty but for our own files; the attempt's name
  std::string step;       ///< for messages
  std::vector<std::string> argv;
  io::EnvPairs env;  ///< exactly this, and the secrets
  std::vector<std::string>
      secret_names;  ///< taken from our environment, masked in logs, never in a file
  std::string cwd;
  io::ProcessLimits limits;
  int64_t timeout_ms = 0;    ///< 0: none
  int64_t grace_ms = 5'000;  ///< between SIGTERM and SIGKILL
  int64_t max_log_bytes = int64_t{64}
                          << 20;  ///< of stdout and of stderr; first part and end are kept
};

/// An attempt that is over.
struct EndedAttempt {
  std::string directory;
  AttemptRecord record;  ///< reason kLost if there is none: what it started has been killed
};

enum class AttachOutcome : uint8_t {
  kRunning,  ///< watched from now on; Poll will report its end
  kEnded,    ///< the next Poll reports it
  kLost,     ///< no supervisor, no record: the next Poll reports it as kLost
};

enum class CancelMode : uint8_t {
  kGraceful,  ///< SIGTERM to all its processes, SIGKILL after the grace time
  kKill,      ///< SIGKILL now
};

enum class LogStream : uint8_t { kStdout, kStderr };

/// One thread at a time. Attempts are named by their directory; an unknown one is kNotFound.
class Executor {
 public:
  virtual ~Executor() = default;

  /// After this has returned well the attempt needs neither us nor this process any more. A program
  /// that cannot be started is not an error here but a record (kStartFailed).
  virtual Status Start(const AttemptSpec& spec) = 0;
  /// Takes over an attempt that another executor object of this kind has started.
  virtual Result<AttachOutcome> Attach(const std::string& directory) = 0;
  /// All attempts that have ended since the last call, in the order in which they were started;
  /// each is reported once. Never blocks.
  virtual Result<std::vector<EndedAttempt>> Poll() = 0;
  /// Sleeps until Poll may have something to say, `wake_fd` (or -1) becomes readable, or
  /// `timeout_ms` have passed. May return early.
  virtual Status Wait(int64_t timeout_ms, int wake_fd) = 0;
  /// Returns at once; the end comes through Poll. Cancelling one that has ended is fine.
  virtual Status Cancel(const std::string& directory, CancelMode mode) = 0;
  /// Up to `max_bytes` of a log from `offset`, also while the attempt runs and after its end; empty
  /// at the end of what there is.
  virtual Result<std::string> FetchLogs(const std::string& directory, LogStream stream,
                                        int64_t offset, size_t max_bytes) = 0;
};

}  // namespace sluice::runner
