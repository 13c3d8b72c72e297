// The program `sluice`.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "app/cli/command.h"

int main(int argc, char** argv) {
  // A closed pipe or socket is an error of the write, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    std::vector<std::string> words(argv + 1, argv + argc);
    int code = sluice::app::RunCommandLine(words);
    return std::fflush(stdout) == 0 ? code : 1;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "error: internal: %s\n", exception.what());
    return 1;
  }
}
