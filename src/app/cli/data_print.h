// Profiles and findings as a person reads them in a terminal. Pure.
#pragma once

#include <string>

#include "data/check.h"
#include "data/profile.h"

namespace sluice::app {

/// A table with one line per column: type, missing, distinct, and the range or the most frequent
/// values.
std::string PrintProfile(const data::TableProfile& profile);

/// One line per finding with its samples, then the counts.
std::string PrintFindings(const data::Findings& findings);

}  // namespace sluice::app
