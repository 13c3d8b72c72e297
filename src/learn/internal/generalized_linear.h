// Fitting of linear models with logistic, multinomial or squared loss and an L2 penalty, by
// Newton's method.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "learn/learner.h"

namespace sluice::learn::internal {

/// Minimises   sum_i w_i loss(y_i, eta_i) + penalty / 2 × sum of squared coefficients,   eta = X b
/// + intercept, with loss = log loss (binary, multinomial) or half the squared error; intercepts
/// are not penalised. This is what scikit-learn's LogisticRegression (penalty = 1 / C) and Ridge
/// (penalty = alpha) minimise.
struct LinearProblem {
  Task task = Task::kRegression;
  int64_t class_count = 0;
  MatrixView features;  ///< no NaN
  std::span<const double> labels;
  std::span<const double> weights;  ///< empty: all 1
  double penalty = 0;
  bool has_intercept = true;
  int64_t max_iterations = 100;
  double tolerance = 1e-9;  ///< least Newton decrement, per unit of weight
  int thread_count = 1;
};

struct LinearSolution {
  int64_t output_count = 1;
  std::vector<double> coefficients;  ///< outputs × features
  std::vector<double> intercepts;    ///< one per output
  int64_t iteration_count = 0;
};

/// Newton's method with a line search. The step solves the Hessian's system by Cholesky up to
/// kMaxDirect unknowns, above by conjugate gradients. Columns whose mean is far from 0 against
/// their deviation are shifted inside, which keeps the equations well conditioned and changes
/// nothing in the result. Sums run over blocks of rows that depend only on the number of rows.
/// `on_iteration` sees the solution after each step; false stops.
LinearSolution FitLinear(const LinearProblem& problem,
                         const std::function<bool(const LinearSolution&)>& on_iteration);

inline constexpr size_t kMaxDirect = 1024;

/// Population standard deviation of each column.
std::vector<double> ColumnDeviations(const MatrixView& features);

/// eta of one row and output.
inline double LinearScore(const LinearSolution& solution, size_t output,
                          std::span<const double> row) {
  const double* coefficients = solution.coefficients.data() + output * row.size();
  double sum = solution.intercepts[output];
  for (size_t i = 0; i < row.size(); ++i) sum += coefficients[i] * row[i];
  return sum;
}

}  // namespace sluice::learn::internal
