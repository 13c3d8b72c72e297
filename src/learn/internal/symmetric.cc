#include "learn/internal/symmetric.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace sluice::learn::internal {
namespace {

constexpr double kLeastPivot = 1e-13;
constexpr double kFirstJitter = 1e-12;

/// Factors in place as upper' × upper; false if a pivot is not clearly positive. The diagonal is 1
/// + jitter before.
bool Factor(std::span<double> a, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    double pivot = a[i * n + i];
    if (!(pivot > kLeastPivot)) return false;
    double root = std::sqrt(pivot);
    double* row = &a[i * n];
    for (size_t j = i; j < n; ++j) row[j] /= root;
    for (size_t k = i + 1; k < n; ++k) {
      double factor = row[k];
      if (factor == 0) continue;
      double* target = &a[k * n];
      for (size_t j = k; j < n; ++j) target[j] -= factor * row[j];
    }
  }
  return true;
}

void SolveFactored(std::span<const double> a, size_t n, std::span<double> x) {
  for (size_t i = 0; i < n; ++i) {
    x[i] /= a[i * n + i];
    for (size_t j = i + 1; j < n; ++j) x[j] -= a[i * n + j] * x[i];
  }
  for (size_t i = n; i-- > 0;) {
    double sum = x[i];
    for (size_t j = i + 1; j < n; ++j) sum -= a[i * n + j] * x[j];
    x[i] = sum / a[i * n + i];
  }
}

}  // namespace

double Dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void SolveCholesky(std::span<double> matrix, std::span<double> right) {
  size_t n = right.size();
  CHECK(matrix.size() == n * n);
  std::vector<double> scales(n);
  for (size_t i = 0; i < n; ++i) {
    double diagonal = matrix[i * n + i];
    scales[i] = diagonal > 0 ? 1 / std::sqrt(diagonal) : 1;
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i; j < n; ++j) matrix[i * n + j] *= scales[i] * scales[j];
    right[i] *= scales[i];
  }
  std::vector<double> factor(matrix.begin(), matrix.end());
  for (double jitter = kFirstJitter; !Factor(factor, n) && jitter < 1e3; jitter *= 10) {
    factor.assign(matrix.begin(), matrix.end());
    for (size_t i = 0; i < n; ++i) factor[i * n + i] += jitter;
  }
  SolveFactored(factor, n, right);
  for (size_t i = 0; i < n; ++i) right[i] *= scales[i];
}

std::vector<double> SolveConjugateGradients(
    const std::function<void(std::span<const double>, std::span<double>)>& multiply,
    std::span<const double> diagonal, std::span<const double> right,
    const ConjugateGradientOptions& options) {
  size_t n = right.size();
  std::vector<double> x(n, 0), residual(right.begin(), right.end()), preconditioned(n),
      direction(n), product(n);
  auto precondition = [&] {
    for (size_t i = 0; i < n; ++i)
      preconditioned[i] = diagonal[i] > 0 ? residual[i] / diagonal[i] : residual[i];
  };
  precondition();
  direction = preconditioned;
  double rho = Dot(residual, preconditioned);
  double goal = rho * options.relative_residual * options.relative_residual;
  for (int iteration = 0; iteration < options.max_iterations && rho > goal; ++iteration) {
    multiply(direction, product);
    double curvature = Dot(direction, product);
    if (!(curvature > 0)) break;  // a direction without curvature: the matrix is singular along it
    double step = rho / curvature;
    for (size_t i = 0; i < n; ++i) {
      x[i] += step * direction[i];
      residual[i] -= step * product[i];
    }
    precondition();
    double next = Dot(residual, preconditioned);
    for (size_t i = 0; i < n; ++i) direction[i] = preconditioned[i] + next / rho * direction[i];
    rho = next;
  }
  return x;
}

}  // namespace sluice::learn::internal
