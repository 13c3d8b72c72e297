#include "runner/testing/attempt_program.h"

#include <cstdlib>

#include "io/fs.h"

namespace sluice::runner {

std::string FindAttemptProgram() {
  if (const char* given = std::getenv("SLUICE_ATTEMPT")) return given;
  Result<std::string> self = io::RealFs().ReadLink("/proc/self/exe");
  if (!self.ok()) return "sluice-attempt";
  std::string folder = io::DirName(*self);
  for (int up = 0; up < 4; ++up, folder = io::DirName(folder)) {
    std::string candidate = folder + "/bin/sluice-attempt";
    Result<std::optional<io::FileInfo>> info = io::RealFs().Stat(candidate);
    if (info.ok() && *info) return candidate;
  }
  return "sluice-attempt";
}

}  // namespace sluice::runner
