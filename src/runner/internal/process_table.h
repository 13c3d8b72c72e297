// What /proc says about processes. Thread-safe; a process may be gone by the time the answer is
// read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::runner {

struct ProcessInfo {
  int pid = 0;
  int parent = 0;
  int group = 0;
  int session = 0;
  char state = '?';          ///< 'Z' for a zombie
  uint64_t start_ticks = 0;  ///< since boot; with the pid it names a process for good
};

std::optional<ProcessInfo> FindProcess(int pid);
/// All processes we may see, by pid. O(processes): about ten microseconds each.
std::vector<ProcessInfo> ListProcesses();
/// Does the process's environment, as it was when its program was loaded, have the line
/// "NAME=value"?
bool HasVariable(int pid, std::string_view line);
/// A text that differs after every boot.
std::string ReadBootId();

}  // namespace sluice::runner
