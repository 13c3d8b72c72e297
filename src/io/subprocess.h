// The one door to child processes. Programs are started from an argument vector, never from a shell
// string; nothing is inherited that is not named here. What a newcomer gets wrong: `env` is the
// whole environment of the child, not an addition to ours.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sluice::io {

/// Where a child's standard output or error goes.
struct OutputTarget {
  enum class Kind : uint8_t {
    kNull,     ///< /dev/null
    kInherit,  ///< ours
    kFile,     ///< `path`, created or truncated
    kPipe,     ///< a pipe; read it from Subprocess::stdout_fd() or stderr_fd()
  };
  Kind kind = Kind::kNull;
  std::string path;

  static OutputTarget Null() { return {}; }
  static OutputTarget Inherit() { return {Kind::kInherit, {}}; }
  static OutputTarget File(std::string path) { return {Kind::kFile, std::move(path)}; }
  static OutputTarget Pipe() { return {Kind::kPipe, {}}; }
};

/// Limits the kernel keeps, for the child and what it starts; 0: ours stay.
struct ProcessLimits {
  int64_t address_space_bytes = 0;  ///< RLIMIT_AS
  int64_t cpu_s = 0;                ///< RLIMIT_CPU: SIGXCPU, five seconds later SIGKILL
  int64_t open_file_count = 0;      ///< RLIMIT_NOFILE
  bool no_core_dump = true;         ///< RLIMIT_CORE 0
};

using EnvPairs = std::vector<std::pair<std::string, std::string>>;

struct SubprocessOptions {
  /// argv[0] is the program: with a '/' a path (relative to `cwd`), else it is looked up in the
  /// child's PATH. Any bytes but NUL.
  std::vector<std::string> argv;
  EnvPairs env;     ///< exactly this; the last of two equal names wins
  std::string cwd;  ///< empty: ours
  OutputTarget stdout_to;
  OutputTarget stderr_to;  ///< standard input is always /dev/null
  ProcessLimits limits;
  enum class Group : uint8_t {
    kOwn,         ///< a process group of its own, in our session
    kOwnSession,  ///< a session of its own: the terminal's ctrl-C does not reach it
    kOurs,        ///< our process group
  };
  Group group = Group::kOwn;
  /// SIGKILL when the thread that starts it ends. Only the child itself, not what it starts.
  bool dies_with_parent = false;
  /// Left as descriptor 3, 4, ... in the child; all others are closed.
  std::vector<int> passed_fds;
};

/// How a process ended.
struct ExitStatus {
  int exit_code = 0;    ///< when signal is 0
  int signal = 0;       ///< the signal that ended it, or 0
  int64_t user_ms = 0;  ///< of it and the children it waited for
  int64_t system_ms = 0;
  int64_t max_rss_bytes = 0;

  bool ok() const { return signal == 0 && exit_code == 0; }
  /// "exit code 3", "signal 9 (Killed)".
  std::string ToString() const;
};

/// A child process. One thread at a time. Destroying one that was neither waited for nor detached
/// kills it (its group, if it has one of its own) and reaps it.
class Subprocess {
 public:
  /// Returns once the program has been loaded. Errors: kInvalidArgument (empty argv, a NUL byte, a
  /// bad variable name), kNotFound (no such program, naming the PATH that was searched; no such
  /// cwd), kPermissionDenied, kResourceExhausted (processes, memory, descriptors).
  static Result<Subprocess> Start(const SubprocessOptions& options);
  Subprocess(Subprocess&& other) noexcept;
  Subprocess& operator=(Subprocess&& other) noexcept;
  ~Subprocess();

  int pid() const { return pid_; }
  /// Becomes readable when the process ends; for poll. Closed with this object.
  int pidfd() const { return pidfd_; }
  /// The reading end of a kPipe target, else -1; non-blocking, closed with this object.
  int stdout_fd() const { return stdout_fd_; }
  int stderr_fd() const { return stderr_fd_; }

  /// The status once it has ended; reaps it. Again: the same answer.
  Result<std::optional<ExitStatus>> TryWait();
  /// Waits up to `timeout`; nothing if it still runs then.
  Result<std::optional<ExitStatus>> WaitFor(std::chrono::milliseconds timeout);
  Result<ExitStatus> Wait();

  /// To the process; one that has ended already is fine.
  Status Signal(int signal);
  /// To its whole group; needs Group::kOwn or kOwnSession (CHECK).
  Status SignalGroup(int signal);
  /// SIGTERM to the group, SIGKILL after `grace`, then waits for the process itself.
  Result<ExitStatus> StopGroup(std::chrono::milliseconds grace);
  /// Gives up ownership: the process goes on and is neither killed nor reaped by us.
  void Detach();

 private:
  Subprocess() = default;
  void Close();

  int pid_ = -1;
  int pidfd_ = -1;
  int stdout_fd_ = -1;
  int stderr_fd_ = -1;
  bool has_own_group_ = false;
  bool is_owned_ = false;
  std::optional<ExitStatus> status_;
};

/// What a short-lived program printed.
struct FinishedProcess {
  ExitStatus status;
  std::string stdout_text;
  std::string stderr_text;
  bool is_truncated =
      false;  ///< more than `max_output_bytes` came from one of them; the rest was dropped
  bool is_timed_out = false;  ///< killed, with its group
};

/// Starts, reads both outputs (their targets in `options` are ignored), waits. For small helpers;
/// steps run under sluice-attempt. Errors: those of Start.
Result<FinishedProcess> RunToEnd(SubprocessOptions options, std::chrono::milliseconds timeout,
                                 size_t max_output_bytes = size_t{1} << 20);

/// The value of PATH in `env`, or nothing. Then the file that `program` means there; `cwd` may be
/// empty. Errors: kNotFound naming program and PATH; kPermissionDenied if only files that may not
/// be executed were found.
Result<std::string> FindProgram(const std::string& program, const EnvPairs& env,
                                const std::string& cwd);

/// Our own environment, sorted by name.
EnvPairs CurrentEnv();

}  // namespace sluice::io
