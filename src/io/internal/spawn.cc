// Starting a child without copying our address space: vfork, then only system calls until exec.
//
// The child shares our memory until it has loaded its program, so everything it needs is prepared
// before, all signals are blocked meanwhile (a handler of ours must not run in it), and it writes
// nothing but its own stack. What goes wrong in it comes back as {stage, errno} through a
// close-on-exec pipe: an empty pipe means that exec has succeeded.

#include "io/internal/spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "io/fs.h"

namespace sluice::io::internal {
namespace {

/// Never returns. Only async-signal-safe calls.
[[noreturn]] void RunChild(const ChildScript& script) {
  Stage stage = Stage::kGroup;
  do {
    if (script.group == SubprocessOptions::Group::kOwn && setpgid(0, 0) != 0) break;
    if (script.group == SubprocessOptions::Group::kOwnSession && setsid() < 0) break;

    stage = Stage::kLimits;
    bool is_limited = true;
    for (int i = 0; i < script.limit_count; ++i) {
      is_limited =
          is_limited && setrlimit64(static_cast<__rlimit_resource_t>(script.limit_kinds[i]),
                                    script.limits[i]) == 0;
    }
    if (!is_limited) break;

    stage = Stage::kParentGone;
    if (script.dies_with_parent) {
      if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) break;
      if (getppid() != script.parent) {
        errno = ESRCH;
        break;
      }
    }

    stage = Stage::kDescriptors;
    bool is_moved = true;
    for (int i = 0; i < script.source_count; ++i) {
      is_moved = is_moved && dup2(script.sources[i], i) >= 0;
    }
    if (!is_moved) break;
    if (syscall(SYS_close_range, script.source_count, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) != 0) {
      for (int fd = script.source_count; fd < 65'536; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
    }

    stage = Stage::kDirectory;
    if (script.cwd != nullptr && chdir(script.cwd) != 0) break;

    stage = Stage::kExec;
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(script.program, script.argv, script.envp);
  } while (false);
  ChildFailure failure{stage, errno};
  [[maybe_unused]] ssize_t count = write(script.report_fd, &failure, sizeof failure);
  _exit(127);
}

}  // namespace

// Apart, so that no variable of the caller lives across vfork.
__attribute__((noinline)) pid_t Spawn(const ChildScript& script) {
  pid_t pid = vfork();
  if (pid == 0) RunChild(script);
  return pid;
}

Error SpawnError(const ChildFailure& failure, const SubprocessOptions& options,
                 const std::string& program) {
  switch (failure.stage) {
    case Stage::kDirectory:
      return ErrnoError(failure.error_number, "enter working directory", options.cwd);
    case Stage::kExec:
      if (failure.error_number == ENOEXEC) {
        return InvalidArgument(fmt::format(
            "start '{}': not a program; a script needs a first line such as '#!/bin/sh'", program));
      }
      if (failure.error_number == ENOENT) {
        return NotFound(fmt::format(
            "start '{}': the file or the interpreter that its first line names does not exist",
            program));
      }
      if (failure.error_number == E2BIG) {
        return InvalidArgument(fmt::format(
            "start '{}': arguments and environment are too long for the system", program));
      }
      return ErrnoError(failure.error_number, "start", program);
    case Stage::kParentGone: return Cancelled(fmt::format("start '{}': we are ending", program));
    case Stage::kGroup:
      return ErrnoError(failure.error_number, "make a process group for", program);
    case Stage::kLimits: return ErrnoError(failure.error_number, "set the limits of", program);
    case Stage::kDescriptors:
      return ErrnoError(failure.error_number, "pass descriptors to", program);
  }
  return Internal("unknown stage");
}

}  // namespace sluice::io::internal
