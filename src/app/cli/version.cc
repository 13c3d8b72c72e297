#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/version.h"

namespace sluice::app {

Command MakeVersionCommand() {
  return {.name = "version",
          .summary = "print the version",
          .details = "",
          .positionals = {},
          .options = {},
          .run = [](const Arguments& arguments) -> Result<int> {
            if (arguments.Has("json")) {
              fmt::print("{{\"version\":\"{}\"}}\n", kVersion);
            } else {
              fmt::print("sluice {}\n", kVersion);
            }
            return 0;
          }};
}

}  // namespace sluice::app
