#include "learn/internal/gradients.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/thread_pool.h"

namespace sluice::learn::internal {
namespace {

constexpr size_t kBlockRows = 16'384;
// XGBoost keeps hessians from vanishing with the same bound.
constexpr double kLeastHessian = 1e-16;

struct Largest {
  double gradient = 0;
  double hessian = 0;
};

void BinaryRow(const GradientInput& in, size_t row, double weight, double* gradient,
               double* hessian) {
  double p = 1 / (1 + std::exp(-static_cast<double>(in.margins[row])));
  *gradient = (p - in.labels[row]) * weight;
  *hessian = std::max(p * (1 - p), kLeastHessian) * weight;
}

void RegressionRow(const GradientInput& in, size_t row, double weight, double* gradient,
                   double* hessian) {
  *gradient = (in.margins[row] - in.labels[row]) * weight;
  *hessian = weight;
}

void MulticlassRow(const GradientInput& in, size_t row, double weight, double* gradient,
                   double* hessian) {
  size_t classes = static_cast<size_t>(in.class_count);
  std::span<const float> margins = in.margins.subspan(row * classes, classes);
  double max = *std::max_element(margins.begin(), margins.end());
  double sum = 0;
  for (size_t c = 0; c < classes; ++c) sum += gradient[c] = std::exp(margins[c] - max);
  size_t label = static_cast<size_t>(in.labels[row]);
  for (size_t c = 0; c < classes; ++c) {
    double p = gradient[c] / sum;
    gradient[c] = (p - (c == label ? 1 : 0)) * weight;
    hessian[c] = std::max(2 * p * (1 - p), kLeastHessian) * weight;
  }
}

/// Computes the rows of a block into doubles, where the next step rounds them.
Largest ComputeBlock(const GradientInput& in, size_t first, size_t end, size_t outputs,
                     double* gradients, double* hessians) {
  Largest largest;
  for (size_t row = first; row < end; ++row) {
    double* gradient = gradients + row * outputs;
    double* hessian = hessians + row * outputs;
    double weight = in.weights.empty() ? 1 : in.weights[row];
    if (!in.is_used.empty() && in.is_used[row] == 0) weight = 0;
    switch (in.task) {
      case Task::kBinary: BinaryRow(in, row, weight, gradient, hessian); break;
      case Task::kMulticlass: MulticlassRow(in, row, weight, gradient, hessian); break;
      case Task::kRegression: RegressionRow(in, row, weight, gradient, hessian); break;
    }
    for (size_t c = 0; c < outputs; ++c) {
      largest.gradient = std::max(largest.gradient, std::abs(gradient[c]));
      largest.hessian = std::max(largest.hessian, hessian[c]);
    }
  }
  return largest;
}

/// The unit in which a float of this size counts: 2^(exponent - 23).
double UnitOf(double largest) {
  if (!(largest > 0)) return 1;
  // One more power of two above would also hold the largest when it rounds up to it.
  return std::ldexp(1.0, std::max(std::ilogb(largest) - 23, -126));
}

}  // namespace

void ComputeGradients(const GradientInput& input, std::span<float> gradients,
                      std::span<float> hessians) {
  size_t rows = input.labels.size();
  size_t outputs = input.task == Task::kMulticlass ? static_cast<size_t>(input.class_count) : 1;
  CHECK(input.margins.size() == rows * outputs && gradients.size() == rows * outputs &&
        hessians.size() == rows * outputs);
  std::vector<double> exact_gradients(rows * outputs), exact_hessians(rows * outputs);
  size_t block_count = (rows + kBlockRows - 1) / kBlockRows;
  size_t threads = static_cast<size_t>(std::max(input.thread_count, 1));
  std::vector<Largest> largest(block_count);
  ParallelFor(threads, block_count, [&](size_t b) {
    largest[b] = ComputeBlock(input, b * kBlockRows, std::min(rows, (b + 1) * kBlockRows), outputs,
                              exact_gradients.data(), exact_hessians.data());
  });
  Largest all;
  for (const Largest& one : largest) {
    all.gradient = std::max(all.gradient, one.gradient);
    all.hessian = std::max(all.hessian, one.hessian);
  }
  double gradient_unit = UnitOf(all.gradient), hessian_unit = UnitOf(all.hessian);
  ParallelFor(threads, block_count, [&](size_t b) {
    size_t end = std::min(rows, (b + 1) * kBlockRows) * outputs;
    for (size_t i = b * kBlockRows * outputs; i < end; ++i) {
      gradients[i] =
          static_cast<float>(std::nearbyint(exact_gradients[i] / gradient_unit) * gradient_unit);
      hessians[i] =
          static_cast<float>(std::nearbyint(exact_hessians[i] / hessian_unit) * hessian_unit);
    }
  });
}

}  // namespace sluice::learn::internal
