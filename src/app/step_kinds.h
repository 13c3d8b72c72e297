// The native step kinds as rows: what each takes and makes. Parser, JSON Schema and
// docs/reference/steps.md come from it.
#pragma once

#include <span>
#include <string>

#include "pipeline/step_kind.h"

namespace sluice::app {

/// Lives as long as the program; pipelines point into it.
std::span<const pipeline::StepKind> StepKinds();

/// The page docs/reference/steps.md.
std::string PrintStepReference();

}  // namespace sluice::app
