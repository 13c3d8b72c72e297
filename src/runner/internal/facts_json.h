// StepFacts as the JSON text of run_cache.facts. Persisted: members may be added, never renamed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runner/observer.h"

namespace sluice::runner {

/// {"metrics":{"auc":0.9},"params":{...},"tags":{...},"summary":["..."],"warnings":["..."]}
std::string PrintFacts(const StepFacts& facts);
/// Errors: kDataLoss.
Result<StepFacts> ParseFacts(std::string_view text);

}  // namespace sluice::runner
