#include "runner/run.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/id.h"
#include "runner/internal/engine.h"

namespace sluice::runner {
namespace {

constexpr std::string_view kPidPath = ".sluice/run.pid";

Result<std::unique_ptr<io::FileLock>> LockProject(io::Fs& fs, const std::string& project) {
  RETURN_IF_ERROR(fs.MakeDirectories(io::JoinPath(project, kAttemptsFolder)));
  Result<std::unique_ptr<io::FileLock>> lock =
      fs.Lock(io::JoinPath(project, kProjectLockPath), io::LockMode::kExclusive, false);
  std::string pid_path = io::JoinPath(project, kPidPath);
  if (lock.ok()) {
    RETURN_IF_ERROR(
        fs.WriteFileAtomic(pid_path, fmt::format("{}\n", getpid()), io::Durability::kFast));
    return lock;
  }
  if (lock.error().code() != ErrorCode::kUnavailable) return lock;
  Result<std::string> pid = fs.ReadFile(pid_path, 64);
  std::string holder = pid.ok() ? *pid : "unknown";
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return Unavailable(fmt::format(
      "another run works on this project (process {}); wait for it or stop it", holder));
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
