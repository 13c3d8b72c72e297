#include "sql/internal/turnstile.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace sluice::sql::internal {

// The mode is SQLite's: what the umask leaves.
Turnstile::Turnstile(const std::string& path)
    : file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)) {}

Turnstile::~Turnstile() {
  if (file_ >= 0) close(file_);
}

void Turnstile::Enter(int64_t timeout_ms) {
  if (file_ < 0) return;
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (flock(file_, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= deadline) return;
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

void Turnstile::Leave() {
  if (file_ >= 0) flock(file_, LOCK_UN);
}

}  // namespace sluice::sql::internal
