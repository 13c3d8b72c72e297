#include "learn/testing/data.h"

#include <limits>

#include "base/random.h"

namespace sluice::learn::testing {

Data MakeData(const DataOptions& options) {
  Random random(options.seed, "learn.testing");
  Data data;
  data.column_count = options.column_count;
  for (int64_t row = 0; row < options.row_count; ++row) {
    size_t first = data.values.size();
    for (int64_t c = 0; c < options.column_count; ++c) data.values.push_back(random.NextGaussian());
    double* x = &data.values[first];
    double score = 2 * x[0] - x[1] + x[1] * x[2] + 0.5 * random.NextGaussian();
    double label = score;
    if (options.task == Task::kBinary) label = score > 0 ? 1 : 0;
    if (options.task == Task::kMulticlass) label = score < -1 ? 0 : score < 1 ? 1 : 2;
    data.labels.push_back(label);
    if (options.has_weights) data.weights.push_back(0.1 + 3 * random.NextDouble());
    for (int64_t c = 0; c < options.column_count; ++c) {
      if (random.NextDouble() < options.missing_share)
        x[c] = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return data;
}

TrainRequest MakeRequest(const Data& data, Task task) {
  TrainRequest request;
  request.task = task;
  request.class_count = task == Task::kRegression ? 0 : task == Task::kBinary ? 2 : 3;
  for (int64_t c = 0; c < data.column_count; ++c)
    request.feature_names.push_back("x" + std::to_string(c));
  request.train = data.View();
  request.seed = 42;
  return request;
}

}  // namespace sluice::learn::testing
