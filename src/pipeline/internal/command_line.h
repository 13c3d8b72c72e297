// Splitting one line into words, as a POSIX shell splits words, without any expansion.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::pipeline {

// Where in the line an error stands, in bytes.
struct CommandLineError {
  std::string message;
  size_t offset = 0;
};

// Blanks separate words; '...' takes everything as it is; "..." too, but for backslash before $ ` "
// \ and newline; elsewhere a backslash takes the next character as it is; backslash and newline are
// nothing. What only a shell can do (unquoted | & ; < > ( ) ` and a second line) is an error that
// says so. `#` and `$` are ordinary characters. On failure fills `error`.
std::vector<std::string> SplitCommandLine(std::string_view line,
                                          std::optional<CommandLineError>* error);

}  // namespace sluice::pipeline
