// Random training data for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "learn/learner.h"

namespace sluice::learn::testing {

/// Owns what a TrainRequest views.
struct Data {
  std::vector<double> values;
  std::vector<double> labels;
  std::vector<double> weights;
  int64_t column_count = 0;

  MatrixView Features() const {
    return {values.data(), static_cast<int64_t>(labels.size()), column_count};
  }
  LabelledView View() const { return {Features(), labels, weights}; }
};

struct DataOptions {
  Task task = Task::kBinary;
  int64_t row_count = 1000;
  int64_t column_count = 5;  ///< at least 3; the first three matter
  double missing_share = 0;
  bool has_weights = false;
  uint64_t seed = 1;
};

/// Normal features; a label that depends on the first three, with noise; three classes for
/// multiclass.
Data MakeData(const DataOptions& options);

/// A request over `data`, which must outlive it; features are named x0, x1, ...
TrainRequest MakeRequest(const Data& data, Task task);

}  // namespace sluice::learn::testing
