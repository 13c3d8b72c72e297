#include "runner/internal/process_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "io/fs.h"

namespace sluice::runner {
namespace {

constexpr int64_t kMaxEnvironBytes = int64_t{8} << 20;

}  // namespace

std::optional<ProcessInfo> FindProcess(int pid) {
  Result<std::string> text = io::RealFs().ReadFile(fmt::format("/proc/{}/stat", pid), 4096);
  if (!text.ok()) return std::nullopt;
  // The second field is the program's name in parentheses and may hold anything, ')' included.
  size_t end = text->rfind(')');
  if (end == std::string::npos) return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  unsigned long long start_ticks = 0;
  int found =
      std::sscanf(text->c_str() + end + 1,
                  " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                  &info.state, &info.parent, &info.group, &info.session, &start_ticks);
  if (found != 5) return std::nullopt;
  info.start_ticks = start_ticks;
  return info;
}

std::vector<ProcessInfo> ListProcesses() {
  std::vector<ProcessInfo> processes;
  Result<std::vector<std::string>> names = io::RealFs().ListDirectory("/proc");
  if (!names.ok()) return processes;
  for (const std::string& name : *names) {
    int pid = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (std::optional<ProcessInfo> info = FindProcess(pid)) processes.push_back(*info);
  }
  std::sort(processes.begin(), processes.end(),
            [](const ProcessInfo& a, const ProcessInfo& b) { return a.pid < b.pid; });
  return processes;
}

bool HasVariable(int pid, std::string_view line) {
  Result<std::string> environ_text =
      io::RealFs().ReadFile(fmt::format("/proc/{}/environ", pid), kMaxEnvironBytes);
  if (!environ_text.ok()) return false;
  std::string_view text = *environ_text;
  while (!text.empty()) {
    size_t end = std::min(text.find('\0'), text.size());
    if (text.substr(0, end) == line) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

std::string ReadBootId() {
  Result<std::string> text = io::RealFs().ReadFile("/proc/sys/kernel/random/boot_id", 256);
  if (!text.ok()) return "unknown";
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *text;
}

}  // namespace sluice::runner
