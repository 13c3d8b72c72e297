// The table of learners, and training by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "learn/learner.h"
#include "learn/params.h"

namespace sluice::learn {

/// One row of the table: a learner that a pipeline file can name.
struct Learner {
  std::string_view name;
  std::string_view help;
  std::vector<ParamSpec> params;
  /// Called with params already resolved against `params` and a request already checked.
  Result<std::unique_ptr<Model>> (*train)(const TrainRequest& request, const formats::Json& params);
  /// `description` is the parsed learner.json. Called with untrusted input.
  Result<std::unique_ptr<Model>> (*load)(io::Fs& fs, const std::string& folder,
                                         const formats::Json& description);
};

/// gbdt, linear. Lives as long as the program.
const std::vector<Learner>& Learners();
/// Errors: kInvalidArgument for an unknown name, with a suggestion.
Result<const Learner*> FindLearner(std::string_view name);

/// Checks the request (shapes, labels within classes, no infinite or NaN label, at least one row
/// and two classes, weights finite and not all zero), resolves the parameters and trains. Errors:
/// kInvalidArgument naming what is wrong; kCancelled never (on_iteration only stops early);
/// kUnavailable if the learner's library cannot be opened; kInternal if it fails.
Result<std::unique_ptr<Model>> Train(std::string_view learner, const TrainRequest& request);

}  // namespace sluice::learn
