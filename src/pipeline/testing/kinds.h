// Step kinds for this module's tests: those of the product, as far as the tests use them.
#pragma once

#include <span>

#include "pipeline/step_kind.h"

namespace sluice::pipeline {

std::span<const StepKind> TestKinds();

}  // namespace sluice::pipeline
