#include "runner/internal/log_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sluice::runner {

SecretMask::SecretMask(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  std::erase_if(secrets_, [](const std::string& secret) { return secret.empty(); });
  std::stable_sort(secrets_.begin(), secrets_.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  for (const std::string& secret : secrets_) {
    is_first_byte_[static_cast<unsigned char>(secret[0])] = true;
  }
}

std::string SecretMask::Take(std::string_view piece) {
  if (secrets_.empty()) return std::string(piece);
  pending_.append(piece);
  return Scan(false);
}

std::string SecretMask::Finish() { return Scan(true); }

std::string SecretMask::Scan(bool is_end) {
  std::string shown;
  std::string_view text = pending_;
  size_t at = 0;
  while (at < text.size()) {
    if (!is_first_byte_[static_cast<unsigned char>(text[at])]) {
      shown.push_back(text[at++]);
      continue;
    }
    std::string_view rest = text.substr(at);
    size_t masked_size = 0;
    bool may_begin = false;
    for (const std::string& secret : secrets_) {
      if (rest.starts_with(secret)) {
        masked_size = secret.size();
        break;
      }
      may_begin = may_begin || (!is_end && std::string_view(secret).starts_with(rest));
    }
    if (may_begin) break;  // also when a shorter secret matches: the longer one may be coming
    if (masked_size > 0) {
      shown += "***";
      at += masked_size;
    } else {
      shown.push_back(text[at++]);
    }
  }
  pending_.erase(0, at);
  return shown;
}

LogWriter::LogWriter(int fd, int64_t max_bytes, std::vector<std::string> secrets)
    : fd_(fd),
      max_head_bytes_(max_bytes - std::min(kMaxTailBytes, max_bytes / 4)),
      max_tail_bytes_(std::min(kMaxTailBytes, max_bytes / 4)),
      mask_(std::move(secrets)) {}

LogWriter::~LogWriter() {
  if (fd_ >= 0) close(fd_);
}

void LogWriter::Append(std::string_view bytes) {
  seen_bytes_ += static_cast<int64_t>(bytes.size());
  Keep(mask_.Take(bytes));
}

void LogWriter::Keep(std::string_view bytes) {
  int64_t room = max_head_bytes_ - head_bytes_;
  std::string_view head = bytes.substr(0, static_cast<size_t>(std::max<int64_t>(room, 0)));
  if (!head.empty() && tail_.empty() && Write(head)) {
    head_bytes_ += static_cast<int64_t>(head.size());
    bytes.remove_prefix(head.size());
  }
  tail_.append(bytes);
  auto limit = static_cast<size_t>(max_tail_bytes_);
  if (tail_.size() > 2 * limit) {
    dropped_bytes_ += static_cast<int64_t>(tail_.size() - limit);
    tail_.erase(0, tail_.size() - limit);
  }
}

void LogWriter::Finish() {
  Keep(mask_.Finish());
  auto limit = static_cast<size_t>(max_tail_bytes_);
  if (tail_.size() > limit) {
    dropped_bytes_ += static_cast<int64_t>(tail_.size() - limit);
    tail_.erase(0, tail_.size() - limit);
  }
  if (dropped_bytes_ > 0) {
    Write(fmt::format("\n[sluice: {} bytes of output are left out here]\n", dropped_bytes_));
  }
  if (!Write(tail_)) dropped_bytes_ += static_cast<int64_t>(tail_.size());
  tail_.clear();
}

bool LogWriter::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = write(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace sluice::runner
