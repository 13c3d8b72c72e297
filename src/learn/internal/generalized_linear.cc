#include "learn/internal/generalized_linear.h"

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "learn/internal/symmetric.h"

namespace sluice::learn::internal {
namespace {

constexpr size_t kMinBlockRows = 8'192;
constexpr size_t kMaxVectorBlocks = 64;  // partial sums as long as the unknowns
constexpr size_t kMaxMatrixBlocks = 8;   // partial sums as large as the Hessian
/// Columns whose |mean| is above this many deviations are shifted by their mean.
constexpr double kShiftRatio = 3;

struct ColumnMoments {
  std::vector<double> means, deviations;
};

ColumnMoments ComputeColumnMoments(const MatrixView& features) {
  size_t rows = static_cast<size_t>(features.row_count),
         columns = static_cast<size_t>(features.column_count);
  ColumnMoments moments{std::vector<double>(columns, 0), std::vector<double>(columns, 0)};
  for (size_t r = 0; r < rows; ++r) {
    const double* row = features.values + r * columns;
    for (size_t c = 0; c < columns; ++c) moments.means[c] += row[c];
  }
  for (double& mean : moments.means) mean /= static_cast<double>(rows);
  for (size_t r = 0; r < rows; ++r) {
    const double* row = features.values + r * columns;
    for (size_t c = 0; c < columns; ++c) {
      moments.deviations[c] += (row[c] - moments.means[c]) * (row[c] - moments.means[c]);
    }
  }
  for (double& deviation : moments.deviations)
    deviation = std::sqrt(deviation / static_cast<double>(rows));
  return moments;
}

/// Rows without their zeros: one-hot features are mostly zeros. The last column is the intercept's,
/// if there is one.
struct SparseRows {
  std::vector<size_t> starts;
  std::vector<uint32_t> columns;
  std::vector<double> values;
  std::vector<double> shifts;  ///< subtracted from each feature
  size_t width = 0;

  size_t row_count() const { return starts.size() - 1; }
};

SparseRows MakeSparse(const LinearProblem& problem) {
  SparseRows sparse;
  size_t columns = static_cast<size_t>(problem.features.column_count);
  sparse.width = columns + (problem.has_intercept ? 1 : 0);
  sparse.shifts.assign(columns, 0);
  if (problem.has_intercept) {
    ColumnMoments moments = ComputeColumnMoments(problem.features);
    for (size_t c = 0; c < columns; ++c) {
      if (std::abs(moments.means[c]) > kShiftRatio * moments.deviations[c])
        sparse.shifts[c] = moments.means[c];
    }
  }
  sparse.starts.push_back(0);
  for (int64_t r = 0; r < problem.features.row_count; ++r) {
    std::span<const double> row = problem.features.Row(r);
    for (size_t c = 0; c < columns; ++c) {
      double value = row[c] - sparse.shifts[c];
      if (value == 0) continue;
      sparse.columns.push_back(static_cast<uint32_t>(c));
      sparse.values.push_back(value);
    }
    if (problem.has_intercept) {
      sparse.columns.push_back(static_cast<uint32_t>(columns));
      sparse.values.push_back(1);
    }
    sparse.starts.push_back(sparse.columns.size());
  }
  return sparse;
}

/// The function to be minimised, with derivatives. Unknowns: output by output, features then
/// intercept.
class Objective {
 public:
  Objective(const LinearProblem& problem, const SparseRows& rows)
      : problem_(problem),
        rows_(rows),
        outputs_(problem.task == Task::kMulticlass ? static_cast<size_t>(problem.class_count) : 1),
        predictions_(rows.row_count() * outputs_) {}

  size_t size() const { return outputs_ * rows_.width; }
  size_t outputs() const { return outputs_; }

  /// The value at `x`; keeps the predictions (probabilities, or eta) for the derivatives.
  double Evaluate(std::span<const double> x) {
    std::vector<double> losses(BlockCount(kMaxVectorBlocks), 0);
    ForBlocks(losses.size(), [&](size_t block, size_t first, size_t end) {
      double sum = 0;
      for (size_t row = first; row < end; ++row) sum += Weight(row) * Loss(row, x);
      losses[block] = sum;
    });
    double value = 0;
    for (double loss : losses) value += loss;
    double squares = 0;
    ForPenalised([&](size_t i) { squares += x[i] * x[i]; });
    return value + problem_.penalty / 2 * squares;
  }

  // At the point of the last Evaluate:

  std::vector<double> Gradient(std::span<const double> x) const {
    std::vector<double> gradient = SumVectors([&](size_t row, std::span<double> out) {
      for (size_t c = 0; c < outputs_; ++c)
        AddRow(row, Weight(row) * Residual(row, c), out.subspan(c * rows_.width, rows_.width));
    });
    ForPenalised([&](size_t i) { gradient[i] += problem_.penalty * x[i]; });
    return gradient;
  }

  /// Row-major size × size, upper triangle.
  std::vector<double> Hessian() const {
    size_t n = size();
    std::vector<std::vector<double>> parts(BlockCount(kMaxMatrixBlocks));
    ForBlocks(parts.size(), [&](size_t block, size_t first, size_t end) {
      parts[block].assign(n * n, 0);
      for (size_t row = first; row < end; ++row) AddOuterProducts(row, parts[block]);
    });
    std::vector<double> hessian = std::move(parts[0]);
    for (size_t b = 1; b < parts.size(); ++b) {
      for (size_t i = 0; i < hessian.size(); ++i) hessian[i] += parts[b][i];
    }
    ForPenalised([&](size_t i) { hessian[i * n + i] += problem_.penalty; });
    FixMultinomialNullSpace(hessian);
    return hessian;
  }

  void MultiplyHessian(std::span<const double> v, std::span<double> out) const {
    std::vector<double> product = SumVectors([&](size_t row, std::span<double> sum) {
      // Curvature × eta of the direction, output by output.
      double mean = 0;
      std::vector<double> etas(outputs_);
      for (size_t c = 0; c < outputs_; ++c) {
        etas[c] = Eta(row, v.subspan(c * rows_.width, rows_.width));
        if (outputs_ > 1) mean += Prediction(row, c) * etas[c];
      }
      for (size_t c = 0; c < outputs_; ++c) {
        double curved =
            outputs_ > 1 ? Prediction(row, c) * (etas[c] - mean) : Curvature(row, 0, 0) * etas[c];
        AddRow(row, Weight(row) * curved, sum.subspan(c * rows_.width, rows_.width));
      }
    });
    ForPenalised([&](size_t i) { product[i] += problem_.penalty * v[i]; });
    std::copy(product.begin(), product.end(), out.begin());
  }

  std::vector<double> HessianDiagonal() const {
    std::vector<double> diagonal = SumVectors([&](size_t row, std::span<double> sum) {
      for (size_t c = 0; c < outputs_; ++c) {
        double curvature = Weight(row) * Curvature(row, c, c);
        for (size_t i = rows_.starts[row]; i < rows_.starts[row + 1]; ++i) {
          sum[c * rows_.width + rows_.columns[i]] += curvature * rows_.values[i] * rows_.values[i];
        }
      }
    });
    ForPenalised([&](size_t i) { diagonal[i] += problem_.penalty; });
    return diagonal;
  }

  double WeightSum() const {
    double sum = 0;
    for (size_t row = 0; row < rows_.row_count(); ++row) sum += Weight(row);
    return sum;
  }

 private:
  double Weight(size_t row) const { return problem_.weights.empty() ? 1 : problem_.weights[row]; }
  double Prediction(size_t row, size_t output) const {
    return predictions_[row * outputs_ + output];
  }

  double Eta(size_t row, std::span<const double> x) const {
    double sum = 0;
    for (size_t i = rows_.starts[row]; i < rows_.starts[row + 1]; ++i)
      sum += x[rows_.columns[i]] * rows_.values[i];
    return sum;
  }

  /// The loss of a row; stores its predictions.
  double Loss(size_t row, std::span<const double> x) {
    double* predictions = &predictions_[row * outputs_];
    double label = problem_.labels[row];
    for (size_t c = 0; c < outputs_; ++c)
      predictions[c] = Eta(row, x.subspan(c * rows_.width, rows_.width));
    if (problem_.task == Task::kRegression) {
      double difference = predictions[0] - label;
      return difference * difference / 2;
    }
    if (problem_.task == Task::kBinary) {
      double eta = predictions[0];
      double wrong = label > 0.5 ? -eta : eta;
      predictions[0] = 1 / (1 + std::exp(-eta));
      return wrong > 0 ? wrong + std::log1p(std::exp(-wrong)) : std::log1p(std::exp(wrong));
    }
    double max = *std::max_element(predictions, predictions + outputs_);
    double own = predictions[static_cast<size_t>(label)], sum = 0;
    for (size_t c = 0; c < outputs_; ++c) sum += predictions[c] = std::exp(predictions[c] - max);
    for (size_t c = 0; c < outputs_; ++c) predictions[c] /= sum;
    return std::log(sum) - (own - max);
  }

  /// d loss / d eta of an output.
  double Residual(size_t row, size_t output) const {
    double label = problem_.labels[row];
    double target = outputs_ == 1 ? label : (static_cast<size_t>(label) == output ? 1 : 0);
    return Prediction(row, output) - target;
  }

  /// d² loss / d eta_a d eta_b.
  double Curvature(size_t row, size_t a, size_t b) const {
    if (problem_.task == Task::kRegression) return 1;
    if (outputs_ == 1) return Prediction(row, 0) * (1 - Prediction(row, 0));
    return Prediction(row, a) * ((a == b ? 1 : 0) - Prediction(row, b));
  }

  void AddRow(size_t row, double factor, std::span<double> out) const {
    for (size_t i = rows_.starts[row]; i < rows_.starts[row + 1]; ++i)
      out[rows_.columns[i]] += factor * rows_.values[i];
  }

  void AddOuterProducts(size_t row, std::span<double> hessian) const {
    size_t n = size(), first = rows_.starts[row], end = rows_.starts[row + 1];
    for (size_t a = 0; a < outputs_; ++a) {
      for (size_t b = a; b < outputs_; ++b) {
        double curvature = Weight(row) * Curvature(row, a, b);
        for (size_t i = first; i < end; ++i) {
          double factor = curvature * rows_.values[i];
          double* target = &hessian[(a * rows_.width + rows_.columns[i]) * n + b * rows_.width];
          // Blocks off the diagonal are needed whole, those on it from the diagonal on.
          for (size_t j = a == b ? i : first; j < end; ++j)
            target[rows_.columns[j]] += factor * rows_.values[j];
        }
      }
    }
  }

  /// Adding the same to a coefficient of every class changes no probability. Where no penalty
  /// decides, curvature is added along that direction; the gradient has no part in it, so the
  /// solution is the one whose classes sum to 0, as scikit-learn's.
  void FixMultinomialNullSpace(std::span<double> hessian) const {
    if (outputs_ == 1) return;
    size_t n = size();
    for (size_t column = 0; column < rows_.width; ++column) {
      bool is_penalised =
          problem_.penalty > 0 && !(problem_.has_intercept && column + 1 == rows_.width);
      if (is_penalised) continue;
      double curvature = hessian[column * n + column];
      for (size_t a = 0; a < outputs_; ++a) {
        for (size_t b = a; b < outputs_; ++b)
          hessian[(a * rows_.width + column) * n + b * rows_.width + column] += curvature;
      }
    }
  }

  template <typename Body>
  void ForPenalised(const Body& body) const {
    size_t penalised = rows_.width - (problem_.has_intercept ? 1 : 0);
    for (size_t c = 0; c < outputs_; ++c) {
      for (size_t i = 0; i < penalised; ++i) body(c * rows_.width + i);
    }
  }

  size_t BlockCount(size_t max) const {
    return std::clamp<size_t>((rows_.row_count() + kMinBlockRows - 1) / kMinBlockRows, 1, max);
  }

  template <typename Body>
  void ForBlocks(size_t count, const Body& body) const {
    size_t block_rows = (rows_.row_count() + count - 1) / count;
    ParallelFor(static_cast<size_t>(std::max(problem_.thread_count, 1)), count, [&](size_t block) {
      size_t first = std::min(rows_.row_count(), block * block_rows);
      body(block, first, std::min(rows_.row_count(), first + block_rows));
    });
  }

  template <typename Add>
  std::vector<double> SumVectors(const Add& add) const {
    std::vector<std::vector<double>> parts(BlockCount(kMaxVectorBlocks));
    ForBlocks(parts.size(), [&](size_t block, size_t first, size_t end) {
      parts[block].assign(size(), 0);
      for (size_t row = first; row < end; ++row) add(row, std::span<double>(parts[block]));
    });
    std::vector<double> sum = std::move(parts[0]);
    for (size_t b = 1; b < parts.size(); ++b) {
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += parts[b][i];
    }
    return sum;
  }

  const LinearProblem& problem_;
  const SparseRows& rows_;
  const size_t outputs_;
  std::vector<double> predictions_;
};

std::vector<double> NewtonStep(const Objective& objective, Task task,
                               std::span<const double> gradient) {
  std::vector<double> step(gradient.size());
  for (size_t i = 0; i < step.size(); ++i) step[i] = -gradient[i];
  if (objective.size() <= kMaxDirect) {
    std::vector<double> hessian = objective.Hessian();
    SolveCholesky(hessian, step);
    return step;
  }
  // Far from the optimum a rough step is as good; a quadratic is solved at once.
  double residual = task == Task::kRegression ? 1e-12 : 1e-4;
  return SolveConjugateGradients(
      [&](std::span<const double> v, std::span<double> out) { objective.MultiplyHessian(v, out); },
      objective.HessianDiagonal(), step, {.relative_residual = residual, .max_iterations = 1000});
}

LinearSolution Unshift(const LinearProblem& problem, const SparseRows& rows, size_t outputs,
                       std::span<const double> x) {
  LinearSolution solution;
  solution.output_count = static_cast<int64_t>(outputs);
  size_t features = static_cast<size_t>(problem.features.column_count);
  for (size_t c = 0; c < outputs; ++c) {
    std::span<const double> part = x.subspan(c * rows.width, rows.width);
    double intercept = problem.has_intercept ? part[features] : 0;
    for (size_t i = 0; i < features; ++i) {
      solution.coefficients.push_back(part[i]);
      intercept -= part[i] * rows.shifts[i];
    }
    solution.intercepts.push_back(intercept);
  }
  return solution;
}

}  // namespace

std::vector<double> ColumnDeviations(const MatrixView& features) {
  return ComputeColumnMoments(features).deviations;
}

LinearSolution FitLinear(const LinearProblem& problem,
                         const std::function<bool(const LinearSolution&)>& on_iteration) {
  SparseRows rows = MakeSparse(problem);
  Objective objective(problem, rows);
  std::vector<double> x(objective.size(), 0);
  double weight_sum = objective.WeightSum();
  double value = objective.Evaluate(x);
  LinearSolution solution = Unshift(problem, rows, objective.outputs(), x);
  for (int64_t iteration = 1; iteration <= problem.max_iterations; ++iteration) {
    std::vector<double> gradient = objective.Gradient(x);
    std::vector<double> step = NewtonStep(objective, problem.task, gradient);
    double slope = Dot(gradient, step);
    // The decrement: twice what the step is expected to gain. Affine invariant, unlike the
    // gradient's size.
    double decrement = std::sqrt(std::max(-slope, 0.0) / weight_sum);
    if (iteration > 1 && decrement <= problem.tolerance) break;
    double length = 1, next_value = value;
    std::vector<double> next(x.size());
    for (; length > 1e-10; length /= 2) {
      for (size_t i = 0; i < x.size(); ++i) next[i] = x[i] + length * step[i];
      next_value = objective.Evaluate(next);
      // Near the optimum the gain is below the rounding of the value itself.
      if (next_value <= value + 1e-4 * length * slope + 1e-14 * std::abs(value)) break;
    }
    if (!(length > 1e-10)) {
      objective.Evaluate(x);
      break;
    }
    x = std::move(next);
    value = next_value;
    solution = Unshift(problem, rows, objective.outputs(), x);
    solution.iteration_count = iteration;
    if (!on_iteration(solution)) break;
  }
  return solution;
}

}  // namespace sluice::learn::internal
