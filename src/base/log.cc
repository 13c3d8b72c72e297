#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <string>

#include "base/clock.h"

namespace sluice {

namespace {
std::atomic<LogLevel> log_level{LogLevel::kWarning};
}

void SetLogLevel(LogLevel level) { log_level = level; }
bool IsLogged(LogLevel level) { return level >= log_level.load(); }

void WriteLog(LogLevel level, std::string_view message) {
  static constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  std::string line = FormatUtc(SystemClock().NowMs(), true);
  line += fmt::format(" {} ", kNames[static_cast<size_t>(level)]);
  for (char c : message) {
    if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      line += c;
    }
  }
  line += '\n';
  // One write, so that lines of several threads or processes do not mix.
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace sluice
