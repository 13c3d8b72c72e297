// Small made-up prediction sets for tests.
#pragma once

#include <string>
#include <vector>

#include "evaluate/report.h"

namespace sluice::evaluate::testing {

/// Rows of a classifier or regressor of middling quality, always the same for equal arguments.
struct Predictions {
  std::vector<double> labels;
  std::vector<double> predictions;
  std::vector<double> weights;
  std::vector<std::string> class_names;

  EvaluateRequest Request(Task task) const;
};

/// Scores rounded to hundredths, so that ties occur. `noise` 0 separates the classes well.
Predictions MakeBinary(size_t row_count, uint64_t seed = 1, double noise = 0.3);
Predictions MakeMulticlass(size_t row_count, size_t class_count, uint64_t seed = 1);
Predictions MakeRegression(size_t row_count, uint64_t seed = 1);

}  // namespace sluice::evaluate::testing
