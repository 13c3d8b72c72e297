// Which model a verdict speaks of.
#pragma once

#include <string>

#include "base/result.h"

namespace sluice::app {

/// A digest (hex) of what decides a model's answers: model.json, features.json and learner/ of its
/// folder. A trained model and the package made of it have the same identity; a model that answers
/// otherwise has another one. Written as "model" into report.json and verdict.json, and compared
/// when a model is registered. Errors: those of io::Fs, naming the file.
Result<std::string> ComputeModelIdentity(const std::string& folder);

}  // namespace sluice::app
