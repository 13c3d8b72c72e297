// Sums of powers about the mean, merged without losing digits. All functions are pure; no errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::data::internal {

/// Of `count` values: their sum, mean, and m2, m3, m4 = sum of (x - mean)^2, ^3, ^4.
struct Moments {
  int64_t count = 0;
  double sum = 0;
  double mean = 0;
  double m2 = 0;
  double m3 = 0;
  double m4 = 0;

  /// Adds the values of `other`. Not associative to the bit: callers fix the order.
  void Merge(const Moments& other);

  double Variance() const;  ///< of a sample; NaN below two values
  double Skewness() const;  ///< adjusted Fisher-Pearson; NaN below three values, 0 if all are equal
  double Kurtosis() const;  ///< excess, bias-corrected; NaN below four values, 0 if all are equal
};

/// Two passes over finite values, in eight lanes: equal on every machine.
Moments ComputeMoments(std::span<const double> values);

/// Of the rows in which both x and y are there: means, squared deviations and their product.
struct PairMoments {
  int64_t count = 0;
  double mean_x = 0;
  double mean_y = 0;
  double m2_x = 0;
  double m2_y = 0;
  double product = 0;

  void Merge(const PairMoments& other);
  double Correlation() const;  ///< NaN where one is constant or below two rows
};

/// A slice of one column, ready for products: deviations from the column's mean in the slice, 0
/// where there is no value.
struct CentredSlice {
  Moments moments;
  const double* deviations = nullptr;
  const double* mask =
      nullptr;  ///< 1 where there is a value, else 0; null if there is one everywhere
};

PairMoments ComputePairMoments(const CentredSlice& x, const CentredSlice& y, int64_t row_count);

}  // namespace sluice::data::internal
