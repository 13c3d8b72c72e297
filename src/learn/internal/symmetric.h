// Solving symmetric positive definite systems. Pure; sequential, so that results are the same
// everywhere.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace sluice::learn::internal {

/// Solves matrix × x = right by Cholesky, after scaling the diagonal to 1. `matrix` is row-major n
/// × n, of which the upper triangle is read, and is overwritten. A matrix that is singular to
/// rounding gets the smallest of the diagonals 1e-12, 1e-11, ... that makes it factor, so that x
/// approaches the solution of least norm. `right` becomes x.
void SolveCholesky(std::span<double> matrix, std::span<double> right);

struct ConjugateGradientOptions {
  double relative_residual = 1e-10;
  int max_iterations = 1000;
};

/// Solves by conjugate gradients preconditioned with the diagonal; `multiply(v, out)` sets out =
/// matrix × v. Starts from 0, returns x.
std::vector<double> SolveConjugateGradients(
    const std::function<void(std::span<const double>, std::span<double>)>& multiply,
    std::span<const double> diagonal, std::span<const double> right,
    const ConjugateGradientOptions& options);

double Dot(std::span<const double> a, std::span<const double> b);

}  // namespace sluice::learn::internal
