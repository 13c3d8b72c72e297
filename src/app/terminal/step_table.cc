#include "app/terminal/step_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sluice::app {

namespace {

constexpr int kBarWidth = 20;

struct Look {
  std::string_view name;
  std::string_view mark;
  std::string_view color;
};

Look LookOf(StepLook look) {
  switch (look) {
    case StepLook::kWaiting: return {"waiting", "·", "\x1b[2m"};
    case StepLook::kRunning: return {"running", "▶", "\x1b[36m"};
    case StepLook::kCached: return {"cached", "≡", "\x1b[2m"};
    case StepLook::kDone: return {"done", "✓", "\x1b[32m"};
    case StepLook::kFailed: return {"failed", "✗", "\x1b[31m"};
    case StepLook::kSkipped: return {"skipped", "–", "\x1b[33m"};
    case StepLook::kCancelled: return {"stopped", "■", "\x1b[33m"};
  }
  return {"", " ", ""};
}

int CountColumns(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string Pad(std::string text, int width) {
  int columns = CountColumns(text);
  if (columns < width) text.append(static_cast<size_t>(width - columns), ' ');
  return text;
}

/// "12,345" or "1.2 M": short enough for a rate.
std::string PrintAmount(double amount) {
  if (amount >= 1e9) return fmt::format("{:.1f} G", amount / 1e9);
  if (amount >= 1e6) return fmt::format("{:.1f} M", amount / 1e6);
  if (amount >= 1e4) return fmt::format("{:.0f} k", amount / 1e3);
  return fmt::format("{:.0f}", amount);
}

std::string PrintProgress(const StepLine& step, int64_t now_ms) {
  std::string text;
  double elapsed_s = static_cast<double>(now_ms - step.progress_since_ms) / 1000;
  double rate = elapsed_s > 0.5 ? (step.done - step.progress_begin) / elapsed_s : 0;
  if (step.total > 0) {
    double share = std::clamp(step.done / step.total, 0.0, 1.0);
    int filled = static_cast<int>(std::floor(share * kBarWidth));
    for (int i = 0; i < kBarWidth; ++i) text += i < filled ? "█" : "░";
    text += fmt::format(" {:3.0f}%", share * 100);
  } else {
    text += fmt::format("{} {}", PrintAmount(step.done), step.unit);
  }
  if (rate > 0) {
    text += fmt::format("  {} {}/s", PrintAmount(rate), step.unit);
    if (step.total > step.done) {
      text += fmt::format(
          "  {} left", PrintDuration(static_cast<int64_t>((step.total - step.done) / rate * 1000)));
    }
  }
  return text;
}

std::string RenderStep(const StepLine& step, int name_width, int64_t now_ms,
                       const TableStyle& style) {
  Look look = LookOf(step.look);
  std::string time;
  if (step.start_ms > 0)
    time = PrintDuration((step.end_ms > 0 ? step.end_ms : now_ms) - step.start_ms);
  std::string detail = step.detail;
  if (step.look == StepLook::kRunning && (step.total > 0 || step.done > 0))
    detail = PrintProgress(step, now_ms);
  std::string head =
      fmt::format("{} {} ", look.mark, Pad(FitWidth(step.name, name_width), name_width));
  std::string state = fmt::format("{} {}  ", Pad(std::string(look.name), 8), Pad(time, 12));
  int used = CountColumns(head) + CountColumns(state);
  std::string line = head + state + FitWidth(detail, std::max(0, style.width - 1 - used));
  if (!style.has_color) return FitWidth(line, style.width - 1);
  return fmt::format("{}{}\x1b[0m", look.color, FitWidth(line, style.width - 1));
}

}  // namespace

std::string_view StepLookName(StepLook look) { return LookOf(look).name; }

std::string PrintDuration(int64_t ms) {
  ms = std::max<int64_t>(ms, 0);
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 10'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  int64_t seconds = ms / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
}

std::string FitWidth(std::string_view text, int width) {
  std::string fitted;
  int columns = 0;
  bool is_cut = false;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80 && ++columns > width) {
      is_cut = true;
      break;
    }
    fitted += byte < 0x20 || byte == 0x7f ? ' ' : text[i];
  }
  if (!is_cut || width <= 0) return width <= 0 ? "" : fitted;
  while (!fitted.empty() && (static_cast<unsigned char>(fitted.back()) & 0xC0) == 0x80)
    fitted.pop_back();
  if (!fitted.empty()) fitted.pop_back();
  return fitted + "…";
}

std::vector<std::string> RenderStepTable(const std::vector<StepLine>& steps, int64_t now_ms,
                                         const TableStyle& style) {
  int name_width = 4;
  for (const StepLine& step : steps)
    name_width = std::max(name_width, std::min(28, CountColumns(step.name)));
  // Which lines may go when the terminal is too short: finished well, then waiting, never running
  // or failed.
  auto room_class = [](const StepLine& step) {
    switch (step.look) {
      case StepLook::kCached:
      case StepLook::kDone: return 2;
      case StepLook::kWaiting:
      case StepLook::kSkipped: return 1;
      default: return 0;
    }
  };
  size_t allowed = static_cast<size_t>(std::max(style.height - 2, 4));
  std::vector<bool> is_hidden(steps.size(), false);
  size_t hidden_count = 0;
  for (int room = 2; room >= 1 && steps.size() - hidden_count > allowed; --room) {
    for (size_t i = 0; i < steps.size() && steps.size() - hidden_count >= allowed; ++i) {
      if (room_class(steps[i]) != room) continue;
      is_hidden[i] = true;
      ++hidden_count;
    }
  }
  std::vector<std::string> lines;
  if (hidden_count > 0) {
    lines.push_back(FitWidth(fmt::format("  … {} more steps, finished or waiting", hidden_count),
                             style.width - 1));
  }
  for (size_t i = 0; i < steps.size() && lines.size() < allowed; ++i) {
    if (!is_hidden[i]) lines.push_back(RenderStep(steps[i], name_width, now_ms, style));
  }
  return lines;
}

}  // namespace sluice::app
