// The lock is the heartbeat. The engine locks the attempt's folder before it starts the supervisor
// and hands the locked descriptor over, so there is no moment in which a living attempt has a free
// lock: free lock and no record means lost, with no time-out to tune.

#include "runner/internal/local_executor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/id.h"
#include "runner/internal/process_table.h"

namespace sluice::runner {
namespace {

constexpr std::string_view kSupervisorLog = "supervisor.log";
constexpr int64_t kMaxRecordBytes = 1 << 20;
constexpr int64_t kMaxCommandBytes = int64_t{64} << 20;
constexpr int kAttachRounds = 400;  // of 5 ms: what a supervisor may take to say who it is
constexpr int kKillRounds = 200;    // of 5 ms

void SleepMs(int ms) { poll(nullptr, 0, ms); }

int SendSignal(int pidfd, int number) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0));
}

AttemptRecord LostRecord(std::string message) {
  AttemptRecord record;
  record.reason = EndReason::kLost;
  record.message = std::move(message);
  return record;
}

}  // namespace

LocalExecutor::~LocalExecutor() {
  for (Watched& attempt : watched_) {
    if (attempt.supervisor) attempt.supervisor->Detach();
    if (attempt.pidfd >= 0) close(attempt.pidfd);
  }
}

Status LocalExecutor::Start(const AttemptSpec& spec) {
  AttemptCommand command;
  command.argv = spec.argv;
  command.env = spec.env;
  command.secret_names = spec.secret_names;
  command.cwd = spec.cwd;
  command.cookie = NewRandomHex(32);
  command.limits = spec.limits;
  command.timeout_ms = spec.timeout_ms;
  command.grace_ms = spec.grace_ms;
  command.max_log_bytes = spec.max_log_bytes;
  RETURN_IF_ERROR(fs_.WriteFileAtomic(io::JoinPath(spec.directory, kCommandFile),
                                      EncodeCommand(command), io::Durability::kFast));

  std::string lock_path = io::JoinPath(spec.directory, kLockFile);
  int lock_fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_fd < 0) return io::ErrnoError(errno, "create", lock_path);
  if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
    close(lock_fd);
    return AlreadyExists(fmt::format("an attempt runs in '{}' already", spec.directory));
  }
  io::SubprocessOptions options;
  options.argv = {attempt_program_, spec.directory, "3"};
  for (const std::string& name : spec.secret_names) {
    if (const char* value = getenv(name.c_str())) options.env.emplace_back(name, value);
  }
  options.cwd = "/";
  options.stderr_to = io::OutputTarget::File(io::JoinPath(spec.directory, kSupervisorLog));
  options.group = io::SubprocessOptions::Group::kOwnSession;
  options.passed_fds = {lock_fd};
  Result<io::Subprocess> supervisor = io::Subprocess::Start(options);
  close(lock_fd);
  if (!supervisor.ok()) return std::move(supervisor).error().With("start the attempt's supervisor");
  Watched attempt;
  attempt.directory = spec.directory;
  attempt.supervisor.emplace(std::move(*supervisor));
  watched_.push_back(std::move(attempt));
  return Ok();
}

Result<AttachOutcome> LocalExecutor::Attach(const std::string& directory) {
  Watched attempt;
  attempt.directory = directory;
  for (int round = 0; round < kAttachRounds; ++round) {
    Result<std::unique_ptr<io::FileLock>> lock =
        fs_.Lock(io::JoinPath(directory, kLockFile), io::LockMode::kExclusive, false);
    bool is_gone = !lock.ok() && lock.error().code() == ErrorCode::kNotFound;  // no such folder
    if (lock.ok() || is_gone) {
      bool is_lost = LoadRecord(directory).reason == EndReason::kLost;
      watched_.push_back(std::move(attempt));
      return is_lost ? AttachOutcome::kLost : AttachOutcome::kEnded;
    }
    if (lock.error().code() != ErrorCode::kUnavailable) return std::move(lock).error();
    ASSIGN_OR_RETURN(std::optional<int> pidfd, OpenSupervisor(directory));
    if (pidfd) {
      attempt.pidfd = *pidfd;
      watched_.push_back(std::move(attempt));
      return AttachOutcome::kRunning;
    }
    SleepMs(5);  // it is starting or ending right now
  }
  return Unavailable(fmt::format(
      "somebody holds the lock of attempt '{}' without saying who; find it with: fuser '{}'",
      directory, io::JoinPath(directory, kLockFile)));
}

Result<std::optional<int>> LocalExecutor::OpenSupervisor(const std::string& directory) {
  Result<std::string> text =
      fs_.ReadFile(io::JoinPath(directory, kSupervisorFile), kMaxRecordBytes);
  if (!text.ok()) return std::optional<int>();
  Result<SupervisorIdentity> identity = DecodeIdentity(*text);
  if (!identity.ok() || identity->boot_id != ReadBootId()) return std::optional<int>();
  int pidfd = static_cast<int>(syscall(SYS_pidfd_open, identity->pid, 0));
  if (pidfd < 0) return std::optional<int>();
  // Read after opening: if it is the right process now, the descriptor is that process's.
  std::optional<ProcessInfo> process = FindProcess(identity->pid);
  if (!process || process->start_ticks != identity->start_ticks) {
    close(pidfd);
    return std::optional<int>();
  }
  return std::optional<int>(pidfd);
}

Result<std::vector<EndedAttempt>> LocalExecutor::Poll() {
  std::vector<EndedAttempt> ended;
  std::vector<Watched> running;
  for (Watched& attempt : watched_) {
    if (attempt.supervisor) {
      ASSIGN_OR_RETURN(std::optional<io::ExitStatus> status, attempt.supervisor->TryWait());
      if (status) attempt.supervisor.reset();
    } else if (attempt.pidfd >= 0) {
      pollfd watched{attempt.pidfd, POLLIN, 0};
      if (poll(&watched, 1, 0) > 0) close(std::exchange(attempt.pidfd, -1));
    }
    if (!attempt.is_over()) {
      running.push_back(std::move(attempt));
      continue;
    }
    AttemptRecord record = LoadRecord(attempt.directory);
    if (record.reason == EndReason::kLost) KillLeftovers(attempt.directory);
    ended.push_back({attempt.directory, std::move(record)});
  }
  watched_ = std::move(running);
  return ended;
}

AttemptRecord LocalExecutor::LoadRecord(const std::string& directory) {
  Result<std::string> text = fs_.ReadFile(io::JoinPath(directory, kRecordFile), kMaxRecordBytes);
  if (!text.ok()) {
    Result<std::string> log =
        fs_.ReadFile(io::JoinPath(directory, kSupervisorLog), kMaxRecordBytes);
    return LostRecord(log.ok() ? *log : "");
  }
  Result<AttemptRecord> record = ParseRecord(*text);
  if (!record.ok()) return LostRecord(record.error().message());
  // The record was not synced, nor were the files it speaks of: after a reboot neither is trusted.
  if (record->boot_id != ReadBootId()) return LostRecord("the machine was restarted since");
  return *std::move(record);
}

void LocalExecutor::KillLeftovers(const std::string& directory) {
  std::string cookie;
  SupervisorIdentity identity;
  if (Result<std::string> text =
          fs_.ReadFile(io::JoinPath(directory, kSupervisorFile), kMaxRecordBytes);
      text.ok()) {
    if (Result<SupervisorIdentity> read = DecodeIdentity(*text); read.ok()) identity = *read;
  }
  if (Result<std::string> text =
          fs_.ReadFile(io::JoinPath(directory, kCommandFile), kMaxCommandBytes);
      text.ok()) {
    if (Result<AttemptCommand> command = DecodeCommand(*text); command.ok()) {
      cookie = command->cookie;
    }
  }
  if (cookie.empty()) return;
  bool is_same_boot = identity.boot_id == ReadBootId();
  std::string line = fmt::format("{}={}", kCookieVariable, cookie);
  for (int round = 0; round < kKillRounds; ++round) {
    bool has_found = false;
    for (const ProcessInfo& process : ListProcesses()) {
      if (process.state == 'Z') continue;
      // A session keeps the number of its dead leader from being used again while it has members.
      bool is_of_session = is_same_boot && process.session == identity.pid &&
                           process.start_ticks >= identity.start_ticks &&
                           process.pid != identity.pid;
      if (!is_of_session && !HasVariable(process.pid, line)) continue;
      kill(process.pid, SIGKILL);
      has_found = true;
    }
    if (!has_found) return;
    SleepMs(5);
  }
}

Status LocalExecutor::Wait(int64_t timeout_ms, int wake_fd) {
  std::vector<pollfd> watched;
  watched.reserve(watched_.size() + 1);
  for (const Watched& attempt : watched_) {
    if (attempt.is_over()) return Ok();
    watched.push_back(
        {attempt.supervisor ? attempt.supervisor->pidfd() : attempt.pidfd, POLLIN, 0});
  }
  watched.push_back({wake_fd, POLLIN, 0});
  int wait_ms = static_cast<int>(std::clamp<int64_t>(timeout_ms, 0, 3'600'000));
  if (poll(watched.data(), watched.size(), wait_ms) < 0 && errno != EINTR) {
    return Unavailable(fmt::format("wait for attempts: error {}", errno));
  }
  return Ok();
}

Status LocalExecutor::Cancel(const std::string& directory, CancelMode mode) {
  int number = mode == CancelMode::kGraceful ? SIGTERM : SIGINT;
  for (Watched& attempt : watched_) {
    if (attempt.directory != directory) continue;
    if (attempt.supervisor) return attempt.supervisor->Signal(number);
    if (attempt.pidfd >= 0 && SendSignal(attempt.pidfd, number) != 0 && errno != ESRCH) {
      return io::ErrnoError(errno, "signal the supervisor of", directory);
    }
    return Ok();
  }
  return NotFound(fmt::format("no attempt runs in '{}'", directory));
}

Result<std::string> LocalExecutor::FetchLogs(const std::string& directory, LogStream stream,
                                             int64_t offset, size_t max_bytes) {
  std::string path =
      io::JoinPath(directory, stream == LogStream::kStdout ? kStdoutFile : kStderrFile);
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> folder, fs_.Stat(directory));
    if (folder) return std::string();  // nothing printed yet, or never started
    return NotFound(fmt::format("the logs of attempt '{}' are gone", directory));
  }
  if (fd < 0) return io::ErrnoError(errno, "open", path);
  std::string bytes(max_bytes, '\0');
  size_t filled = 0;
  while (filled < max_bytes) {
    ssize_t count = pread(fd, bytes.data() + filled, max_bytes - filled,
                          static_cast<off_t>(offset) + static_cast<off_t>(filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      int error_number = errno;
      close(fd);
      return io::ErrnoError(error_number, "read", path);
    }
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  close(fd);
  bytes.resize(filled);
  return bytes;
}

}  // namespace sluice::runner
