// Log lines of the programs themselves, to standard error. Thread-safe.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace sluice {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Lines below `level` are dropped. Default: kWarning for commands; servers set kInfo.
void SetLogLevel(LogLevel level);
bool IsLogged(LogLevel level);
/// One line: UTC time, level, message. Line breaks in the message are escaped, so a line stays a
/// line.
void WriteLog(LogLevel level, std::string_view message);

template <typename... Args>
void Log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (IsLogged(level)) WriteLog(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace sluice
