// sluice-attempt DIRECTORY [LOCK_FD]: supervises one attempt (docs/internals/layout_runner.md).
// Links only what it needs, so that it starts in about a millisecond.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "io/fs.h"
#include "runner/internal/supervisor.h"

int main(int argc, char** argv) {
  int lock_fd = -1;
  bool is_ok = argc == 2 || argc == 3;
  if (argc == 3) {
    const char* end = argv[2] + std::strlen(argv[2]);
    auto [stop, error] = std::from_chars(argv[2], end, lock_fd);
    is_ok = error == std::errc() && stop == end && lock_fd > 2;
  }
  if (!is_ok) {
    std::fputs("usage: sluice-attempt DIRECTORY [LOCK_FD]\n", stderr);
    return 2;
  }
  sluice::Status status = sluice::runner::Supervise(argv[1], lock_fd);
  if (status.ok()) return 0;
  std::string text = "sluice-attempt: " + status.error().ToString() + "\n";
  std::fputs(text.c_str(), stderr);
  return 1;
}
