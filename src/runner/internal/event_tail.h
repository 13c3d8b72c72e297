// Follows an attempt's events.jsonl while it grows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "formats/json.h"
#include "io/fs.h"

namespace sluice::runner {

/// A file of JSON lines that somebody else appends to. Complete lines are handed over once; a line
/// that is too long or not an object with a text "event" is left out and counted. One thread at a
/// time.
class EventTail {
 public:
  static constexpr size_t kMaxLineBytes = 64 << 10;
  static constexpr size_t kMaxReadBytes = 1 << 20;  ///< in one call of Read

  explicit EventTail(std::string path) : path_(std::move(path)) {}

  /// Takes what has come since the last call, up to kMaxReadBytes. True if there may be more
  /// already.
  bool Read(const std::function<void(const formats::Json& event)>& on_event);
  int64_t bad_line_count() const { return bad_line_count_; }

 private:
  void TakeLine(std::string_view line, const std::function<void(const formats::Json&)>& on_event);

  const std::string path_;
  int64_t offset_ = 0;
  std::string pending_;  ///< the beginning of a line
  bool is_skipping_ = false;
  int64_t bad_line_count_ = 0;
};

}  // namespace sluice::runner
