// Where the tests find sluice-attempt.
#pragma once

#include <string>

namespace sluice::runner {

/// SLUICE_ATTEMPT, else bin/sluice-attempt of the build folder this test program lies in.
std::string FindAttemptProgram();

}  // namespace sluice::runner
