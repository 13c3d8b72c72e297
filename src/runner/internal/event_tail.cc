#include "runner/internal/event_tail.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::runner {

bool EventTail::Read(const std::function<void(const formats::Json& event)>& on_event) {
  int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;  // nothing said yet
  std::string bytes(kMaxReadBytes, '\0');
  ssize_t count;
  do {
    count = pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset_));
  } while (count < 0 && errno == EINTR);
  close(fd);
  if (count <= 0) return false;
  offset_ += count;
  std::string_view text(bytes.data(), static_cast<size_t>(count));
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view piece = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!is_skipping_ && pending_.size() + piece.size() > kMaxLineBytes) {
      is_skipping_ = true;
      ++bad_line_count_;
      pending_.clear();
    }
    if (!is_skipping_) pending_ += piece;
    if (end == std::string_view::npos) break;
    if (!is_skipping_) TakeLine(pending_, on_event);
    is_skipping_ = false;
    pending_.clear();
  }
  return static_cast<size_t>(count) == kMaxReadBytes;
}

void EventTail::TakeLine(std::string_view line,
                         const std::function<void(const formats::Json&)>& on_event) {
  if (line.empty()) return;
  Result<formats::Json> event = formats::ParseJson(
      line, {.file = "events.jsonl", .max_depth = 8, .allow_nan_and_infinity = true});
  const formats::Json* name = event.ok() ? event->Find("event") : nullptr;
  if (name == nullptr || !name->is_string()) {
    ++bad_line_count_;
    return;
  }
  on_event(*event);
}

}  // namespace sluice::runner
