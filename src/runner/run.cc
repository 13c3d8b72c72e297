#include "runner/run.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/id.h"
#include "runner/internal/engine.h"

namespace sluice::runner {
namespace {

constexpr std::string_view kPidPath = ".sluice/run.pid";

// A killed engine may leave a child between fork and exec, which holds the lock with it until it
// execs: a moment later the lock is free. So a held lock is asked for again a few times, and longer
// if its holder is dead.
constexpr int kRetryMs = 5;
constexpr int kRetriesForTheLiving = 40;
constexpr int kRetriesForTheDead = 1000;

/// The process that wrote run.pid, 0 if there is none on record.
int ReadHolder(io::Fs& fs, const std::string& project) {
  Result<std::string> pid = fs.ReadFile(io::JoinPath(project, kPidPath), 64);
  return pid.ok() ? std::atoi(pid->c_str()) : 0;
}

Result<std::unique_ptr<io::FileLock>> LockProject(io::Fs& fs, const std::string& project) {
  RETURN_IF_ERROR(fs.MakeDirectories(io::JoinPath(project, kAttemptsFolder)));
  int holder = 0;
  for (int retry_count = 0;; ++retry_count) {
    Result<std::unique_ptr<io::FileLock>> lock =
        fs.Lock(io::JoinPath(project, kProjectLockPath), io::LockMode::kExclusive, false);
    if (lock.ok()) {
      RETURN_IF_ERROR(fs.WriteFileAtomic(io::JoinPath(project, kPidPath),
                                         fmt::format("{}\n", getpid()), io::Durability::kFast));
      return lock;
    }
    if (lock.error().code() != ErrorCode::kUnavailable) return lock;
    holder = ReadHolder(fs, project);
    bool is_holder_dead = holder > 0 && kill(holder, 0) != 0 && errno == ESRCH;
    if (retry_count >= (is_holder_dead ? kRetriesForTheDead : kRetriesForTheLiving)) break;
    poll(nullptr, 0, kRetryMs);
  }
  return Unavailable(
      fmt::format("another run works on this project (process {}); wait for it or stop it",
                  holder > 0 ? std::to_string(holder) : "unknown"));
}

}  // namespace

Result<std::unique_ptr<StopSwitch>> StopSwitch::Make() {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return io::ErrnoError(errno, "make", "eventfd");
  return std::unique_ptr<StopSwitch>(new StopSwitch(fd));
}

StopSwitch::~StopSwitch() { close(fd_); }

void StopSwitch::Press() noexcept {
  int error_number = errno;  // we may be in a signal handler
  count_.fetch_add(1);
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(fd_, &one, sizeof one);
  errno = error_number;
}

void StopSwitch::Drain() noexcept {
  uint64_t count = 0;
  [[maybe_unused]] ssize_t taken = read(fd_, &count, sizeof count);
}

Result<RunSummary> RunPipeline(const RunRequest& request, const RunDeps& deps) {
  CHECK(request.pipeline != nullptr);
  ASSIGN_OR_RETURN(std::unique_ptr<io::FileLock> lock, LockProject(deps.fs, request.project));
  std::string run_id = request.run_id.empty() ? NewRunId() : request.run_id;
  return Engine(request, deps, run_id).Run();
}

}  // namespace sluice::runner
