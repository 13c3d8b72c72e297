// An executor without processes: a map from step name to scripted outcomes.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/fs.h"
#include "runner/executor.h"

namespace sluice::runner {

/// How one attempt of a step goes.
struct FakeOutcome {
  AttemptRecord record;                      ///< times are filled in
  std::map<std::string, std::string> files;  ///< written at its end, relative to its cwd
  bool makes_outputs =
      true;  ///< writes every SLUICE_OUTPUT_<NAME>: the step's name and its inputs' content
  std::string stdout_text;
  std::string stderr_text;
  std::string events;  ///< the content of events.jsonl
  bool runs_until_cancelled = false;

  static FakeOutcome Exit(int exit_code) {
    FakeOutcome outcome;
    outcome.record.exit_code = exit_code;
    outcome.makes_outputs = exit_code == 0;
    return outcome;
  }
  static FakeOutcome End(EndReason reason) {
    FakeOutcome outcome = Exit(0);
    outcome.record.reason = reason;
    outcome.makes_outputs = false;
    return outcome;
  }
};

/// What the executors of one test share: attempts go on when an executor object ends.
struct FakeWorld {
  /// The n-th attempt of a step takes the n-th outcome, later ones the last; a step that is not
  /// here succeeds.
  std::map<std::string, std::vector<FakeOutcome>> script;
  std::vector<std::string> started;  ///< step names, in order
  std::vector<AttemptSpec> specs;
  size_t max_running_count = 0;
  int64_t waited_ms = 0;  ///< by Wait, with nothing that could end

  struct Attempt {
    AttemptSpec spec;
    FakeOutcome outcome;
    bool has_ended = false;
  };
  std::deque<Attempt> attempts;
};

/// Each Wait ends the attempt that has run longest, or, if none can end, moves the clock by the
/// timeout.
class FakeExecutor : public Executor {
 public:
  FakeExecutor(io::Fs& fs, ManualClock& clock, std::shared_ptr<FakeWorld> world)
      : fs_(fs), clock_(clock), world_(std::move(world)) {}

  Status Start(const AttemptSpec& spec) override;
  Result<AttachOutcome> Attach(const std::string& directory) override;
  Result<std::vector<EndedAttempt>> Poll() override;
  Status Wait(int64_t timeout_ms, int wake_fd) override;
  Status Cancel(const std::string& directory, CancelMode mode) override;
  Result<std::string> FetchLogs(const std::string& directory, LogStream stream, int64_t offset,
                                size_t max_bytes) override;

 private:
  FakeWorld::Attempt* Find(const std::string& directory);
  Status End(FakeWorld::Attempt& attempt);
  Status MakeOutputs(const FakeWorld::Attempt& attempt);
  Status MakeNativeOutputs(const FakeWorld::Attempt& attempt);

  io::Fs& fs_;
  ManualClock& clock_;
  const std::shared_ptr<FakeWorld> world_;
  std::vector<std::string> watched_;  ///< directories, in order
};

}  // namespace sluice::runner
