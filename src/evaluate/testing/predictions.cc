#include "evaluate/testing/predictions.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace sluice::evaluate::testing {

EvaluateRequest Predictions::Request(Task task) const {
  EvaluateRequest request;
  request.task = task;
  request.class_names = class_names;
  request.labels = labels;
  request.predictions = predictions;
  request.weights = weights;
  request.resample_count = 200;
  return request;
}

Predictions MakeBinary(size_t row_count, uint64_t seed, double noise) {
  Random random(seed, "binary");
  Predictions made{.class_names = {"no", "yes"}};
  for (size_t row = 0; row < row_count; ++row) {
    double label = row < 2 ? static_cast<double>(row) : (random.NextDouble() < 0.3 ? 1 : 0);
    double score = 0.35 + 0.3 * label + noise * random.NextGaussian();
    made.labels.push_back(label);
    made.predictions.push_back(std::clamp(std::round(score * 100) / 100, 0.0, 1.0));
  }
  return made;
}

Predictions MakeMulticlass(size_t row_count, size_t class_count, uint64_t seed) {
  Random random(seed, "multiclass");
  Predictions made;
  for (size_t i = 0; i < class_count; ++i) made.class_names.push_back("class " + std::to_string(i));
  for (size_t row = 0; row < row_count; ++row) {
    size_t label = row < class_count ? row : random.NextBelow(class_count);
    std::vector<double> values(class_count);
    double sum = 0;
    for (size_t i = 0; i < class_count; ++i) {
      values[i] = std::exp(random.NextGaussian() + (i == label ? 1.2 : 0));
      sum += values[i];
    }
    for (double value : values) made.predictions.push_back(value / sum);
    made.labels.push_back(static_cast<double>(label));
  }
  return made;
}

Predictions MakeRegression(size_t row_count, uint64_t seed) {
  Random random(seed, "regression");
  Predictions made;
  for (size_t row = 0; row < row_count; ++row) {
    double label = 10 + 4 * random.NextGaussian();
    made.labels.push_back(label);
    made.predictions.push_back(label * 0.9 + 1 + random.NextGaussian());
  }
  return made;
}

}  // namespace sluice::evaluate::testing
