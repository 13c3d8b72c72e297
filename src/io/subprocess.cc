#include "io/subprocess.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "io/fs.h"
#include "io/internal/spawn.h"

extern char** environ;

namespace sluice::io {
namespace {

using internal::ChildFailure;
using internal::ChildScript;

constexpr int64_t kCpuGraceS = 5;
constexpr int kReadsPerRound = 64;  // of 16 KiB: a child that never stops printing cannot keep us

/// Closes a descriptor at the end of its scope.
class ScopedFd {
 public:
  explicit ScopedFd(int fd = -1) : fd_(fd) {}
  ScopedFd(ScopedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ScopedFd& operator=(ScopedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~ScopedFd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Result<ScopedFd> OpenTarget(const OutputTarget& target, int ours, ScopedFd* reading_end) {
  switch (target.kind) {
    case OutputTarget::Kind::kInherit: {
      ScopedFd fd(fcntl(ours, F_DUPFD_CLOEXEC, 3));
      if (fd.get() >= 0) return fd;
      break;  // ours is closed
    }
    case OutputTarget::Kind::kFile: {
      ScopedFd fd(open(target.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
      if (fd.get() < 0) return ErrnoError(errno, "create", target.path);
      return fd;
    }
    case OutputTarget::Kind::kPipe: {
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoError(errno, "open", "pipe");
      fcntl(ends[0], F_SETFL, O_NONBLOCK);
      *reading_end = ScopedFd(ends[0]);
      return ScopedFd(ends[1]);
    }
    case OutputTarget::Kind::kNull: break;
  }
  ScopedFd fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoError(errno, "open", "/dev/null");
  return fd;
}

Status CheckText(std::string_view what, std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return Ok();
  return InvalidArgument(fmt::format("{} holds a NUL byte, which no program can be given", what));
}

Result<std::vector<std::string>> EnvLines(const EnvPairs& env) {
  std::map<std::string, std::string> by_name;
  for (const auto& [name, value] : env) {
    if (name.empty() || name.find('=') != std::string::npos) {
      return InvalidArgument(fmt::format("'{}' cannot be a variable's name", name));
    }
    RETURN_IF_ERROR(CheckText("a variable's name", name));
    RETURN_IF_ERROR(CheckText(fmt::format("variable '{}'", name), value));
    by_name[name] = value;
  }
  std::vector<std::string> lines;
  lines.reserve(by_name.size());
  for (const auto& [name, value] : by_name) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

rlimit64 LimitOf(int kind, int64_t soft, int64_t hard) {
  rlimit64 ours{};
  getrlimit64(static_cast<__rlimit_resource_t>(kind), &ours);
  rlim64_t ceiling = ours.rlim_max;
  return {std::min<rlim64_t>(static_cast<rlim64_t>(soft), ceiling),
          std::min<rlim64_t>(static_cast<rlim64_t>(hard), ceiling)};
}

int64_t Milliseconds(const timeval& time) {
  return int64_t{time.tv_sec} * 1000 + time.tv_usec / 1000;
}

}  // namespace

std::string ExitStatus::ToString() const {
  if (signal == 0) return fmt::format("exit code {}", exit_code);
  const char* name = strsignal(signal);
  return fmt::format("signal {} ({})", signal, name != nullptr ? name : "unknown");
}

EnvPairs CurrentEnv() {
  EnvPairs env;
  for (char** line = environ; line != nullptr && *line != nullptr; ++line) {
    std::string_view text = *line;
    size_t end = text.find('=');
    if (end == std::string_view::npos || end == 0) continue;
    env.emplace_back(text.substr(0, end), text.substr(end + 1));
  }
  std::sort(env.begin(), env.end());
  return env;
}

Result<std::string> FindProgram(const std::string& program, const EnvPairs& env,
                                const std::string& cwd) {
  if (program.empty()) return InvalidArgument("the name of the program to start is empty");
  if (program.find('/') != std::string::npos) return program;  // exec resolves it against cwd
  std::string path = "/usr/local/bin:/usr/bin:/bin";
  for (const auto& [name, value] : env) {
    if (name == "PATH") path = value;
  }
  std::optional<std::string> refused;
  for (size_t begin = 0; begin <= path.size();) {
    size_t end = std::min(path.find(':', begin), path.size());
    std::string folder = path.substr(begin, end - begin);
    begin = end + 1;
    std::string candidate = folder.empty() ? "./" + program : JoinPath(folder, program);
    std::string seen_from_here = JoinPath(cwd, candidate);
    struct stat info {};
    if (stat(seen_from_here.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (access(seen_from_here.c_str(), X_OK) == 0) return candidate;
    if (!refused) refused = candidate;
  }
  if (refused) {
    return PermissionDenied(
        fmt::format("program '{}' was found as '{}', which may not be executed; chmod +x it",
                    program, *refused));
  }
  return NotFound(fmt::format("program '{}' was not found in PATH ({})", program, path));
}

Result<Subprocess> Subprocess::Start(const SubprocessOptions& options) {
  if (options.argv.empty()) return InvalidArgument("a command needs at least the program's name");
  for (const std::string& word : options.argv) RETURN_IF_ERROR(CheckText("an argument", word));
  RETURN_IF_ERROR(CheckText("the working directory", options.cwd));
  ASSIGN_OR_RETURN(std::string program, FindProgram(options.argv[0], options.env, options.cwd));
  ASSIGN_OR_RETURN(std::vector<std::string> env_lines, EnvLines(options.env));
  std::vector<std::string> words = options.argv;
  std::vector<char*> argv = Pointers(words);
  std::vector<char*> envp = Pointers(env_lines);

  Subprocess child;
  std::vector<ScopedFd> held;
  held.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (held[0].get() < 0) return ErrnoError(errno, "open", "/dev/null");
  ScopedFd stdout_reader;
  ScopedFd stderr_reader;
  ASSIGN_OR_RETURN(ScopedFd out, OpenTarget(options.stdout_to, STDOUT_FILENO, &stdout_reader));
  held.push_back(std::move(out));
  ASSIGN_OR_RETURN(ScopedFd err, OpenTarget(options.stderr_to, STDERR_FILENO, &stderr_reader));
  held.push_back(std::move(err));

  // Sources are moved above the numbers they will have in the child, so that no dup2 overwrites
  // another.
  int source_count = 3 + static_cast<int>(options.passed_fds.size());
  std::vector<ScopedFd> moved;
  std::vector<int> sources;
  for (int i = 0; i < source_count; ++i) {
    int fd =
        i < 3 ? held[static_cast<size_t>(i)].get() : options.passed_fds[static_cast<size_t>(i - 3)];
    moved.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, source_count));
    if (moved.back().get() < 0) return ErrnoError(errno, "pass a descriptor to", program);
    sources.push_back(moved.back().get());
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoError(errno, "open", "pipe");
  ScopedFd report_reader(ends[0]);
  ScopedFd report_low(ends[1]);
  ScopedFd report_writer(fcntl(report_low.get(), F_DUPFD_CLOEXEC, source_count));
  report_low = ScopedFd();
  if (report_writer.get() < 0) return ErrnoError(errno, "open", "pipe");

  ChildScript script;
  rlimit64 limits[4];
  auto add_limit = [&](int kind, int64_t soft, int64_t hard) {
    limits[script.limit_count] = LimitOf(kind, soft, hard);
    script.limits[script.limit_count] = &limits[script.limit_count];
    script.limit_kinds[script.limit_count++] = kind;
  };
  const ProcessLimits& wanted = options.limits;
  if (wanted.no_core_dump) add_limit(RLIMIT_CORE, 0, 0);
  if (wanted.address_space_bytes > 0) {
    add_limit(RLIMIT_AS, wanted.address_space_bytes, wanted.address_space_bytes);
  }
  if (wanted.cpu_s > 0) add_limit(RLIMIT_CPU, wanted.cpu_s, wanted.cpu_s + kCpuGraceS);
  if (wanted.open_file_count > 0) {
    add_limit(RLIMIT_NOFILE, wanted.open_file_count, wanted.open_file_count);
  }
  script.program = program.c_str();
  script.argv = argv.data();
  script.envp = envp.data();
  script.cwd = options.cwd.empty() ? nullptr : options.cwd.c_str();
  script.group = options.group;
  script.dies_with_parent = options.dies_with_parent;
  script.parent = getpid();
  script.sources = sources.data();
  script.source_count = source_count;
  script.report_fd = report_writer.get();

  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = internal::Spawn(script);
  int error_number = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return ErrnoError(error_number, "start", program);

  child.pid_ = pid;
  child.is_owned_ = true;
  child.has_own_group_ = options.group != SubprocessOptions::Group::kOurs;
  report_writer = ScopedFd();
  ChildFailure failure{};
  ssize_t count;
  do {
    count = read(report_reader.get(), &failure, sizeof failure);
  } while (count < 0 && errno == EINTR);
  if (count == sizeof failure) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    child.is_owned_ = false;
    return internal::SpawnError(failure, options, program);
  }
  child.pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (child.pidfd_ < 0) return ErrnoError(errno, "watch", program);
  fcntl(child.pidfd_, F_SETFD, FD_CLOEXEC);
  child.stdout_fd_ = stdout_reader.Release();
  child.stderr_fd_ = stderr_reader.Release();
  return child;
}

Subprocess::Subprocess(Subprocess&& other) noexcept { *this = std::move(other); }

Subprocess& Subprocess::operator=(Subprocess&& other) noexcept {
  if (this == &other) return *this;
  Close();
  pid_ = std::exchange(other.pid_, -1);
  pidfd_ = std::exchange(other.pidfd_, -1);
  stdout_fd_ = std::exchange(other.stdout_fd_, -1);
  stderr_fd_ = std::exchange(other.stderr_fd_, -1);
  has_own_group_ = other.has_own_group_;
  is_owned_ = std::exchange(other.is_owned_, false);
  status_ = other.status_;
  return *this;
}

Subprocess::~Subprocess() { Close(); }

void Subprocess::Close() {
  if (is_owned_ && !status_) {
    kill(has_own_group_ ? -pid_ : pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  is_owned_ = false;
  for (int* fd : {&pidfd_, &stdout_fd_, &stderr_fd_}) {
    if (*fd >= 0) close(std::exchange(*fd, -1));
  }
}

Result<std::optional<ExitStatus>> Subprocess::TryWait() {
  if (status_) return status_;
  int raw = 0;
  rusage usage{};
  pid_t pid;
  do {
    pid = wait4(pid_, &raw, WNOHANG, &usage);
  } while (pid < 0 && errno == EINTR);
  if (pid < 0) return ErrnoError(errno, "wait for process", std::to_string(pid_));
  if (pid == 0) return std::optional<ExitStatus>();
  ExitStatus status;
  if (WIFSIGNALED(raw)) {
    status.signal = WTERMSIG(raw);
  } else {
    status.exit_code = WEXITSTATUS(raw);
  }
  status.user_ms = Milliseconds(usage.ru_utime);
  status.system_ms = Milliseconds(usage.ru_stime);
  status.max_rss_bytes = int64_t{usage.ru_maxrss} * 1024;
  status_ = status;
  return status_;
}

Result<std::optional<ExitStatus>> Subprocess::WaitFor(std::chrono::milliseconds timeout) {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<ExitStatus> status, TryWait());
    if (status) return status;
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() < 0) return status;
    pollfd watched{pidfd_, POLLIN, 0};
    int64_t wait_ms = std::clamp<int64_t>(left.count() + 1, 0, 60'000);
    if (poll(&watched, 1, static_cast<int>(wait_ms)) < 0 && errno != EINTR) {
      return ErrnoError(errno, "wait for process", std::to_string(pid_));
    }
  }
}

Result<ExitStatus> Subprocess::Wait() {
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<ExitStatus> status, WaitFor(std::chrono::minutes(1)));
    if (status) return *status;
  }
}

Status Subprocess::Signal(int signal) {
  if (status_ || pidfd_ < 0) return Ok();
  if (syscall(SYS_pidfd_send_signal, pidfd_, signal, nullptr, 0) == 0 || errno == ESRCH)
    return Ok();
  return ErrnoError(errno, "send a signal to process", std::to_string(pid_));
}

Status Subprocess::SignalGroup(int signal) {
  CHECK(has_own_group_);
  // The leader's pid stays taken until it is reaped, and a group's id as long as the group has
  // members.
  if (kill(-pid_, signal) == 0 || errno == ESRCH) return Ok();
  return ErrnoError(errno, "send a signal to process group", std::to_string(pid_));
}

Result<ExitStatus> Subprocess::StopGroup(std::chrono::milliseconds grace) {
  if (status_) return *status_;
  RETURN_IF_ERROR(SignalGroup(SIGTERM));
  // Not reaped before the last signal: until then the group's id cannot be anyone else's.
  auto deadline = std::chrono::steady_clock::now() + grace;
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd watched{pidfd_, POLLIN, 0};
    int ready = poll(&watched, 1, static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000)));
    if (ready > 0 || left.count() <= 0) break;
    if (ready < 0 && errno != EINTR) {
      return ErrnoError(errno, "wait for process", std::to_string(pid_));
    }
  }
  RETURN_IF_ERROR(SignalGroup(SIGKILL));
  return Wait();
}

void Subprocess::Detach() { is_owned_ = false; }

Result<FinishedProcess> RunToEnd(SubprocessOptions options, std::chrono::milliseconds timeout,
                                 size_t max_output_bytes) {
  options.stdout_to = OutputTarget::Pipe();
  options.stderr_to = OutputTarget::Pipe();
  if (options.group == SubprocessOptions::Group::kOurs)
    options.group = SubprocessOptions::Group::kOwn;
  ASSIGN_OR_RETURN(Subprocess child, Subprocess::Start(options));
  FinishedProcess finished;
  std::string* texts[2] = {&finished.stdout_text, &finished.stderr_text};
  pollfd watched[3] = {
      {child.stdout_fd(), POLLIN, 0}, {child.stderr_fd(), POLLIN, 0}, {child.pidfd(), POLLIN, 0}};
  auto deadline = std::chrono::steady_clock::now() + timeout;
  char buffer[1 << 14];
  // Until the process has ended and its pipes are empty; grandchildren that keep them open are not
  // waited for.
  for (bool is_ended = false; !is_ended;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      finished.is_timed_out = true;
      RETURN_IF_ERROR(child.SignalGroup(SIGKILL));
      ASSIGN_OR_RETURN(finished.status, child.Wait());
    } else {
      int64_t wait_ms = std::clamp<int64_t>(left.count() + 1, 0, 60'000);
      if (poll(watched, 3, static_cast<int>(wait_ms)) < 0 && errno != EINTR) {
        return ErrnoError(errno, "wait for process", std::to_string(child.pid()));
      }
      ASSIGN_OR_RETURN(std::optional<ExitStatus> status, child.TryWait());
      if (status) finished.status = *status;
      is_ended = status.has_value();
    }
    is_ended = is_ended || finished.is_timed_out;
    for (int i = 0; i < 2; ++i) {
      for (int round = 0; round < kReadsPerRound; ++round) {
        ssize_t count = watched[i].fd < 0 ? 0 : read(watched[i].fd, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) watched[i].fd = -1;
        if (count <= 0) break;
        size_t room = max_output_bytes - std::min(max_output_bytes, texts[i]->size());
        size_t kept = std::min(room, static_cast<size_t>(count));
        texts[i]->append(buffer, kept);
        finished.is_truncated = finished.is_truncated || kept < static_cast<size_t>(count);
      }
    }
  }
  return finished;
}

}  // namespace sluice::io
