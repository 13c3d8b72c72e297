// One of an attempt's two logs: bytes from a pipe go to a file, masked and bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/fs.h"

namespace sluice::runner {

/// Replaces every occurrence of a secret by "***" in a stream, also across the borders of its
/// pieces. Only a tail that could be the beginning of a secret is held back. One thread at a time.
class SecretMask {
 public:
  /// Empty secrets are ignored.
  explicit SecretMask(std::vector<std::string> secrets);
  /// What can be shown now.
  std::string Take(std::string_view piece);
  /// The rest, at the end of the stream.
  std::string Finish();

 private:
  std::string Scan(bool is_end);

  std::vector<std::string> secrets_;  ///< longest first
  bool is_first_byte_[256] = {};
  std::string pending_;
};

/// Keeps the first part of a log and, if it is longer than `max_bytes`, its end, with a line
/// between that says how much is missing. Reaches the file at once (no buffer), so that it can be
/// followed. The end is written by Finish. One thread at a time.
class LogWriter {
 public:
  static constexpr int64_t kMaxTailBytes = 64 << 10;

  LogWriter(int fd, int64_t max_bytes, std::vector<std::string> secrets);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// A disk that is full must not stop the step: bytes that cannot be written count as dropped.
  void Append(std::string_view bytes);
  void Finish();
  int64_t seen_bytes() const { return seen_bytes_; }
  int64_t dropped_bytes() const { return dropped_bytes_; }

 private:
  void Keep(std::string_view bytes);
  bool Write(std::string_view bytes);

  const int fd_;
  const int64_t max_head_bytes_;
  const int64_t max_tail_bytes_;
  SecretMask mask_;
  int64_t seen_bytes_ = 0;
  int64_t dropped_bytes_ = 0;
  int64_t head_bytes_ = 0;
  std::string tail_;  ///< at most twice max_tail_bytes_
};

}  // namespace sluice::runner
