// Attempts as processes of this machine, each under its own sluice-attempt.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/fs.h"
#include "runner/attempt_command.h"
#include "runner/executor.h"

namespace sluice::runner {

/// Destroying it leaves its attempts running; another one can Attach to them.
class LocalExecutor : public Executor {
 public:
  /// `fs` must be the real file system (the supervisor is another process) and outlive this.
  LocalExecutor(io::Fs& fs, std::string attempt_program)
      : fs_(fs), attempt_program_(std::move(attempt_program)) {}
  ~LocalExecutor() override;

  Status Start(const AttemptSpec& spec) override;
  Result<AttachOutcome> Attach(const std::string& directory) override;
  Result<std::vector<EndedAttempt>> Poll() override;
  Status Wait(int64_t timeout_ms, int wake_fd) override;
  Status Cancel(const std::string& directory, CancelMode mode) override;
  Result<std::string> FetchLogs(const std::string& directory, LogStream stream, int64_t offset,
                                size_t max_bytes) override;

 private:
  /// An attempt somebody has asked us to watch.
  struct Watched {
    std::string directory;
    std::optional<io::Subprocess> supervisor;  ///< our child
    int pidfd = -1;                            ///< an earlier engine's child; -1: it has ended
    bool is_over() const { return !supervisor && pidfd < 0; }
  };

  AttemptRecord LoadRecord(const std::string& directory);
  Result<std::optional<int>> OpenSupervisor(const std::string& directory);
  void KillLeftovers(const std::string& directory);

  io::Fs& fs_;
  const std::string attempt_program_;
  std::vector<Watched> watched_;  ///< in the order of Start and Attach
};

}  // namespace sluice::runner
