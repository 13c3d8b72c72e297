// One thread, one poll loop: the pipes of the step, a signalfd, and the next deadline.
//
// Nothing escapes: we are the subreaper of everything the step starts, so a process whose parent
// ends (a daemon that forks twice) becomes our child, whatever its group and session. While wait()
// knows of a child there is something left to kill; when it says ECHILD there is not. If we are
// killed with SIGKILL, the kernel kills the step itself (PR_SET_PDEATHSIG), and the engine finds
// the rest by session and cookie.

#include "runner/internal/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "io/fs.h"
#include "io/subprocess.h"
#include "runner/attempt_command.h"
#include "runner/attempt_record.h"
#include "runner/internal/log_writer.h"
#include "runner/internal/process_table.h"

namespace sluice::runner {
namespace {

constexpr int64_t kMaxCommandBytes = int64_t{64} << 20;
constexpr int64_t kSweepMs = 10;             // between two looks for what refuses to die
constexpr int64_t kMaxSweepMs = 30'000;      // then we give up and say so
constexpr int64_t kMaxDrainBytes = 4 << 20;  // read from a pipe after all our processes have ended

int64_t MonotonicMs() { return SystemClock().MonotonicNs() / 1'000'000; }

class Supervisor {
 public:
  Supervisor(std::string directory, AttemptCommand command)
      : directory_(std::move(directory)), command_(std::move(command)) {}

  Status Run();

 private:
  enum class Phase { kRunning, kAskedToEnd, kKilling };

  std::string PathOf(std::string_view name) const { return io::JoinPath(directory_, name); }
  Status StartStep();
  void Loop();
  void TakeSignals();
  void Reap();
  void Stop(EndReason reason);
  void KillAll(int signal);
  void Pump(int index, int64_t max_bytes);
  int NextWaitMs() const;
  void ApplyDeadlines();
  Status WriteRecord();

  const std::string directory_;
  const AttemptCommand command_;
  AttemptRecord record_;
  int signals_fd_ = -1;
  std::optional<io::Subprocess> step_;
  int pipes_[2] = {-1, -1};
  std::unique_ptr<LogWriter> logs_[2];
  Phase phase_ = Phase::kRunning;
  bool is_step_reaped_ = false;
  bool has_children_ = true;
  std::optional<EndReason> stop_reason_;
  int64_t deadline_ms_ = 0;  // monotonic: of the step's time
  int64_t kill_at_ms_ = 0;   // monotonic: end of the grace time
  int64_t killing_since_ms_ = 0;
};

Status Supervisor::Run() {
  record_.boot_id = ReadBootId();
  std::optional<ProcessInfo> self = FindProcess(getpid());
  if (!self) return Unavailable("read /proc/self/stat: no answer");
  RETURN_IF_ERROR(io::RealFs().WriteFileAtomic(
      PathOf(kSupervisorFile),
      EncodeIdentity({getpid(), self->start_ticks, record_.boot_id, command_.cookie}),
      io::Durability::kFast));
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  signal(SIGPIPE, SIG_IGN);

  sigset_t taken;
  sigemptyset(&taken);
  for (int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&taken, number);
  sigprocmask(SIG_BLOCK, &taken, nullptr);
  signals_fd_ = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_fd_ < 0) return io::ErrnoError(errno, "watch signals of", directory_);

  record_.start_ms = SystemClock().NowMs();
  Status started = StartStep();
  if (started.ok()) {
    Loop();
  } else {
    record_.reason = EndReason::kStartFailed;
    record_.message = started.error().message();
  }
  return WriteRecord();
}

Status Supervisor::StartStep() {
  io::SubprocessOptions options;
  options.argv = command_.argv;
  options.env = command_.env;
  std::vector<std::string> secrets;
  for (const std::string& name : command_.secret_names) {
    const char* value = getenv(name.c_str());
    if (value == nullptr) continue;
    options.env.emplace_back(name, value);
    secrets.emplace_back(value);
  }
  options.env.emplace_back(kCookieVariable, command_.cookie);
  options.cwd = command_.cwd;
  options.limits = command_.limits;
  options.stdout_to = io::OutputTarget::Pipe();
  options.stderr_to = io::OutputTarget::Pipe();
  options.dies_with_parent = true;
  std::string_view names[2] = {kStdoutFile, kStderrFile};
  for (int i = 0; i < 2; ++i) {
    std::string path = PathOf(names[i]);
    int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return io::ErrnoError(errno, "create", path);
    logs_[i] = std::make_unique<LogWriter>(fd, command_.max_log_bytes, secrets);
  }
  ASSIGN_OR_RETURN(io::Subprocess step, io::Subprocess::Start(options));
  step.Detach();  // Reap waits for every child, this one included
  step_.emplace(std::move(step));
  pipes_[0] = step_->stdout_fd();
  pipes_[1] = step_->stderr_fd();
  if (command_.timeout_ms > 0) deadline_ms_ = MonotonicMs() + command_.timeout_ms;
  return Ok();
}

void Supervisor::Loop() {
  while (has_children_) {
    pollfd watched[3] = {{signals_fd_, POLLIN, 0}, {pipes_[0], POLLIN, 0}, {pipes_[1], POLLIN, 0}};
    int ready = poll(watched, 3, NextWaitMs());
    if (ready > 0) {
      for (int i = 0; i < 2; ++i) {
        if (watched[i + 1].revents != 0) Pump(i, 1 << 18);
      }
      if (watched[0].revents != 0) TakeSignals();
    }
    ApplyDeadlines();
    if (phase_ == Phase::kKilling && MonotonicMs() - killing_since_ms_ > kMaxSweepMs) {
      record_.message = "some of its processes could not be killed";
      break;
    }
  }
  for (int i = 0; i < 2; ++i) Pump(i, kMaxDrainBytes);
}

void Supervisor::TakeSignals() {
  signalfd_siginfo info{};
  while (read(signals_fd_, &info, sizeof info) == sizeof info) {
    switch (static_cast<int>(info.ssi_signo)) {
      case SIGTERM: Stop(EndReason::kCancelled); break;
      case SIGINT:
        Stop(EndReason::kCancelled);
        if (phase_ == Phase::kAskedToEnd) kill_at_ms_ = MonotonicMs();
        break;
      default: break;  // SIGCHLD: below; SIGHUP: the terminal is not our business
    }
  }
  Reap();
}

void Supervisor::Reap() {
  for (;;) {
    int raw = 0;
    pid_t pid = waitpid(-1, &raw, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) has_children_ = false;  // ECHILD
    if (pid <= 0) break;
    if (pid != step_->pid()) continue;
    is_step_reaped_ = true;
    record_.end_ms = SystemClock().NowMs();
    if (WIFSIGNALED(raw)) {
      record_.reason = EndReason::kSignalled;
      record_.signal = WTERMSIG(raw);
    } else {
      record_.exit_code = WEXITSTATUS(raw);
    }
    if (stop_reason_) record_.reason = *stop_reason_;
  }
  // The step has ended: whatever it left behind ends with it.
  if (is_step_reaped_ && has_children_ && phase_ != Phase::kKilling) {
    phase_ = Phase::kKilling;
    killing_since_ms_ = MonotonicMs();
  }
}

void Supervisor::Stop(EndReason reason) {
  if (phase_ != Phase::kRunning || is_step_reaped_) return;
  phase_ = Phase::kAskedToEnd;
  stop_reason_ = reason;
  kill_at_ms_ = MonotonicMs() + command_.grace_ms;
  KillAll(SIGTERM);
}

/// The step's group at once (its id is ours as long as the step is not reaped), then the whole tree
/// below us.
void Supervisor::KillAll(int signal) {
  bool has_group = !is_step_reaped_ && kill(-step_->pid(), signal) == 0;
  std::vector<ProcessInfo> processes = ListProcesses();
  std::vector<int> family = {getpid()};
  for (size_t next = 0; next < family.size(); ++next) {
    for (const ProcessInfo& process : processes) {
      if (process.parent != family[next]) continue;
      family.push_back(process.pid);
      bool has_got_it = has_group && process.group == step_->pid();
      if (!has_got_it) kill(process.pid, signal);
    }
  }
}

int Supervisor::NextWaitMs() const {
  int64_t now = MonotonicMs();
  int64_t until = -1;
  if (phase_ == Phase::kRunning && deadline_ms_ > 0) until = deadline_ms_;
  if (phase_ == Phase::kAskedToEnd) until = kill_at_ms_;
  if (phase_ == Phase::kKilling) until = now + kSweepMs;
  if (until < 0) return -1;
  return static_cast<int>(std::clamp<int64_t>(until - now, 0, 3'600'000));
}

void Supervisor::ApplyDeadlines() {
  int64_t now = MonotonicMs();
  if (phase_ == Phase::kRunning && deadline_ms_ > 0 && now >= deadline_ms_)
    Stop(EndReason::kTimeout);
  if (phase_ == Phase::kAskedToEnd && now >= kill_at_ms_) {
    phase_ = Phase::kKilling;
    killing_since_ms_ = now;
  }
  if (phase_ == Phase::kKilling && has_children_) {
    KillAll(SIGKILL);
    Reap();
  }
}

void Supervisor::Pump(int index, int64_t max_bytes) {
  char buffer[1 << 16];
  while (pipes_[index] >= 0 && max_bytes > 0) {
    ssize_t count = read(pipes_[index], buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;  // EAGAIN
    if (count == 0) {
      pipes_[index] = -1;
      return;
    }
    logs_[index]->Append({buffer, static_cast<size_t>(count)});
    max_bytes -= count;
  }
}

Status Supervisor::WriteRecord() {
  if (record_.end_ms == 0) record_.end_ms = SystemClock().NowMs();
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  record_.user_ms = int64_t{usage.ru_utime.tv_sec} * 1000 + usage.ru_utime.tv_usec / 1000;
  record_.system_ms = int64_t{usage.ru_stime.tv_sec} * 1000 + usage.ru_stime.tv_usec / 1000;
  record_.max_rss_bytes = int64_t{usage.ru_maxrss} * 1024;
  int64_t* seen[2] = {&record_.stdout_bytes, &record_.stderr_bytes};
  int64_t* dropped[2] = {&record_.stdout_dropped_bytes, &record_.stderr_dropped_bytes};
  for (int i = 0; i < 2; ++i) {
    if (!logs_[i]) continue;
    logs_[i]->Finish();
    *seen[i] = logs_[i]->seen_bytes();
    *dropped[i] = logs_[i]->dropped_bytes();
  }
  return io::RealFs().WriteFileAtomic(PathOf(kRecordFile), PrintRecord(record_),
                                      io::Durability::kFast);
}

}  // namespace

Status Supervise(const std::string& directory, int lock_fd) {
  std::unique_ptr<io::FileLock> lock;
  if (lock_fd < 0) {
    ASSIGN_OR_RETURN(lock, io::RealFs().Lock(io::JoinPath(directory, kLockFile),
                                             io::LockMode::kExclusive, false));
  }
  setsid();  // fails if we lead a session already, which is what we want
  ASSIGN_OR_RETURN(std::string text,
                   io::RealFs().ReadFile(io::JoinPath(directory, kCommandFile), kMaxCommandBytes));
  ASSIGN_OR_RETURN(AttemptCommand command, DecodeCommand(text));
  return Supervisor(directory, std::move(command)).Run();
}

}  // namespace sluice::runner
