// First and second derivatives of the losses that gbdt minimises. Pure; results do not depend on
// the number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learn/learner.h"

namespace sluice::learn::internal {

struct GradientInput {
  Task task = Task::kRegression;
  int64_t class_count = 0;
  std::span<const float> margins;  ///< rows × outputs
  std::span<const double> labels;
  std::span<const double> weights;   ///< empty: all 1
  std::span<const uint8_t> is_used;  ///< rows left out of this round have 0; empty: all used
  int thread_count = 1;
};

/// Derivatives of log loss (softmax: hessian 2p(1-p), as XGBoost's) or half the squared error,
/// times the weight, into rows × outputs floats.
///
/// Every gradient is rounded to a multiple of one power of two, chosen so that the largest keeps 24
/// bits; so are the hessians. XGBoost adds floats up in doubles, and which rows a thread adds up
/// depends on how many threads there are; multiples of one unit with 24 bits add up without any
/// rounding for up to 2^29 rows, hence in any order to the same bits.
void ComputeGradients(const GradientInput& input, std::span<float> gradients,
                      std::span<float> hessians);

}  // namespace sluice::learn::internal
