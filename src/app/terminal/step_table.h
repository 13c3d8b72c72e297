// The table of steps that a person sees while a pipeline runs. Rendering is pure: state in, lines
// out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

enum class StepLook : uint8_t { kWaiting, kRunning, kCached, kDone, kFailed, kSkipped, kCancelled };

struct StepLine {
  std::string name;
  StepLook look = StepLook::kWaiting;
  std::string detail;    ///< summary, reason or error, one line
  int64_t start_ms = 0;  ///< 0: not started
  int64_t end_ms = 0;    ///< 0: still running
  double done = 0;       ///< progress; `total` 0 or less: unknown
  double total = 0;
  std::string unit;               ///< "rows"
  int64_t progress_since_ms = 0;  ///< when the first progress came, for the rate
  double progress_begin = 0;      ///< and what it was
};

struct TableStyle {
  int width = 100;  ///< columns of the terminal
  int height = 24;  ///< lines of the terminal; long tables show what matters most
  bool has_color = false;
};

/// One line per step, never wider than the terminal. When there are more steps than lines, finished
/// ones make room, then waiting ones, with a line that counts them.
std::vector<std::string> RenderStepTable(const std::vector<StepLine>& steps, int64_t now_ms,
                                         const TableStyle& style);

/// "0.4 s", "12 s", "3 min 05 s", "2 h 10 min".
std::string PrintDuration(int64_t ms);
/// "cached", "running", ...
std::string_view StepLookName(StepLook look);
/// The beginning of `text` that fits into `width` columns, with an ellipsis if it was cut; UTF-8
/// sequences stay whole, control characters become blanks.
std::string FitWidth(std::string_view text, int width);

}  // namespace sluice::app
