#include "learn/internal/linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/thread_pool.h"
#include "learn/internal/generalized_linear.h"
#include "learn/internal/metrics.h"
#include "learn/internal/model_base.h"

namespace sluice::learn::internal {
namespace {

using formats::Json;

constexpr int64_t kPartRows = 8'192;
/// Squares of values beyond this, summed over rows, leave the range of a double.
constexpr double kLargestValue = 1e140;

Error BadValue(const std::vector<std::string>& names, size_t column, int64_t row, double value) {
  if (std::isnan(value)) {
    return InvalidArgument(fmt::format(
        "feature '{}': is missing in row {}, and learner linear takes no missing values; impute "
        "it in the features step",
        names[column], row + 1));
  }
  return InvalidArgument(
      fmt::format("feature '{}': holds {} in row {}, which is too large; clip or scale it",
                  names[column], value, row + 1));
}

Status CheckValues(const std::vector<std::string>& names, const MatrixView& features) {
  for (int64_t r = 0; r < features.row_count; ++r) {
    std::span<const double> row = features.Row(r);
    for (size_t c = 0; c < row.size(); ++c) {
      if (!(std::abs(row[c]) <= kLargestValue)) return BadValue(names, c, r, row[c]);
    }
  }
  return Ok();
}

class LinearModel : public ModelBase {
 public:
  LinearModel(ModelDescription description, std::vector<CurvePoint> curve, LinearSolution solution,
              std::vector<double> deviations)
      : ModelBase(std::move(description), std::move(curve)),
        solution_(std::move(solution)),
        deviations_(std::move(deviations)) {}

  Status PredictInto(const MatrixView& features, std::span<double> out,
                     int thread_count) const override {
    RETURN_IF_ERROR(CheckColumns(features));
    CHECK(out.size() == static_cast<size_t>(features.row_count * output_count()));
    RETURN_IF_ERROR(CheckValues(feature_names(), features));
    size_t part_count = static_cast<size_t>((features.row_count + kPartRows - 1) / kPartRows);
    ParallelFor(
        part_count > 1 ? static_cast<size_t>(std::max(thread_count, 1)) : 1, part_count,
        [&](size_t part) {
          int64_t end = std::min(features.row_count, (static_cast<int64_t>(part) + 1) * kPartRows);
          size_t outputs = static_cast<size_t>(output_count());
          for (int64_t row = static_cast<int64_t>(part) * kPartRows; row < end; ++row) {
            PredictRow(features.Row(row), out.subspan(static_cast<size_t>(row) * outputs, outputs));
          }
        });
    return Ok();
  }

  std::vector<Importance> Importances() const override {
    std::vector<Importance> importances;
    size_t count = feature_names().size();
    for (size_t i = 0; i < count; ++i) {
      double largest = 0;
      for (size_t c = 0; c < solution_.intercepts.size(); ++c) {
        double coefficient = solution_.coefficients[c * count + i];
        if (std::abs(coefficient) > std::abs(largest)) largest = coefficient;
      }
      importances.push_back({.feature = feature_names()[i],
                             .gain = std::abs(largest) * deviations_[i],
                             .weight = largest});
    }
    return importances;
  }

  Status Save(io::Fs& fs, const std::string& folder) const override {
    Json json = description().ToJson();
    Json coefficients = Json::MakeArray();
    size_t count = feature_names().size();
    for (size_t c = 0; c < solution_.intercepts.size(); ++c) {
      Json row = Json::MakeArray();
      for (size_t i = 0; i < count; ++i) row.Append(solution_.coefficients[c * count + i]);
      coefficients.Append(std::move(row));
    }
    Json intercepts = Json::MakeArray(), deviations = Json::MakeArray();
    for (double value : solution_.intercepts) intercepts.Append(value);
    for (double value : deviations_) deviations.Append(value);
    json["coefficients"] = std::move(coefficients);
    json["intercepts"] = std::move(intercepts);
    json["deviations"] = std::move(deviations);
    return WriteDescription(fs, folder, json);
  }

 private:
  void PredictRow(std::span<const double> row, std::span<double> out) const {
    for (size_t c = 0; c < out.size(); ++c) out[c] = LinearScore(solution_, c, row);
    if (task() == Task::kBinary) {
      out[0] = 1 / (1 + std::exp(-out[0]));
    } else if (task() == Task::kMulticlass) {
      double max = *std::max_element(out.begin(), out.end()), sum = 0;
      for (double& value : out) sum += value = std::exp(value - max);
      for (double& value : out) value /= sum;
    }
  }

  const LinearSolution solution_;
  const std::vector<double> deviations_;
};

/// Metrics of a solution on one part.
NamedMetrics Measure(const TrainRequest& request, const LinearSolution& solution,
                     const LabelledView& data) {
  size_t outputs = static_cast<size_t>(solution.output_count);
  std::vector<float> margins(data.labels.size() * outputs);
  for (int64_t row = 0; row < data.features.row_count; ++row) {
    for (size_t c = 0; c < outputs; ++c) {
      margins[static_cast<size_t>(row) * outputs + c] =
          static_cast<float>(LinearScore(solution, c, data.features.Row(row)));
    }
  }
  return ComputeMetrics({.task = request.task,
                         .class_count = request.class_count,
                         .margins = margins,
                         .labels = data.labels,
                         .weights = data.weights,
                         .thread_count = request.thread_count});
}

Result<std::vector<double>> ReadNumbers(const Json& array, size_t count, std::string_view what) {
  if (!array.is_array() || array.size() != count)
    return DataLoss(fmt::format("'{}' does not have {} values", what, count));
  std::vector<double> values;
  for (const Json& value : array.AsArray()) {
    if (!value.is_number() || !std::isfinite(value.AsDouble())) {
      return DataLoss(fmt::format("'{}' holds something that is no finite number", what));
    }
    values.push_back(value.AsDouble());
  }
  return values;
}

}  // namespace

std::vector<ParamSpec> LinearParams() {
  return {
      {.name = "C",
       .default_value = 1.0,
       .min = 0,
       .is_min_excluded = true,
       .help = "Classification: inverse of the L2 penalty, as scikit-learn's LogisticRegression."},
      {.name = "alpha",
       .aliases = {"reg_lambda"},
       .default_value = 1.0,
       .min = 0,
       .help = "Regression: the L2 penalty, as scikit-learn's Ridge."},
      {.name = "penalty",
       .type = ParamType::kChoice,
       .default_value = "l2",
       .choices = {"l2", "none"},
       .help = "none: plain logistic regression or least squares."},
      {.name = "fit_intercept",
       .type = ParamType::kBool,
       .default_value = true,
       .help = "Whether there is an intercept, never penalised."},
      {.name = "max_iter",
       .type = ParamType::kInteger,
       .default_value = 100,
       .min = 1,
       .max = 100'000,
       .help = "Most Newton steps."},
      {.name = "tol",
       .default_value = 1e-9,
       .min = 0,
       .max = 1,
       .is_min_excluded = true,
       .help = "Training stops when the Newton decrement (root of twice the expected gain, per "
               "row) is below."},
      {.name = "class_weight",
       .type = ParamType::kClassWeight,
       .help = "Weight of each class's rows."},
  };
}

Result<std::unique_ptr<Model>> TrainLinear(const TrainRequest& request, const Json& params) {
  RETURN_IF_ERROR(CheckValues(request.feature_names, request.train.features));
  if (request.validation.has_value())
    RETURN_IF_ERROR(CheckValues(request.feature_names, request.validation->features));
  for (double label : request.train.labels) {
    if (std::abs(label) > kLargestValue)
      return InvalidArgument(fmt::format("the label holds {}, which is too large", label));
  }
  ASSIGN_OR_RETURN(std::vector<double> weights,
                   EffectiveWeights(request, params.At("class_weight")));
  double penalty = request.task == Task::kRegression ? params.At("alpha").AsDouble()
                                                     : 1 / params.At("C").AsDouble();
  LinearProblem problem{.task = request.task,
                        .class_count = request.class_count,
                        .features = request.train.features,
                        .labels = request.train.labels,
                        .weights = weights,
                        .penalty = params.At("penalty").AsString() == "none" ? 0 : penalty,
                        .has_intercept = params.At("fit_intercept").AsBool(),
                        .max_iterations = params.At("max_iter").AsInteger(),
                        .tolerance = params.At("tol").AsDouble(),
                        .thread_count = request.thread_count};
  std::vector<CurvePoint> curve;
  LinearSolution solution = FitLinear(problem, [&](const LinearSolution& current) {
    NamedMetrics validation;
    if (request.validation.has_value()) validation = Measure(request, current, *request.validation);
    curve.push_back(MakeCurvePoint(current.iteration_count,
                                   Measure(request, current, request.train), validation));
    return !request.on_iteration || request.on_iteration(curve.back());
  });
  for (double coefficient : solution.coefficients) {
    if (!std::isfinite(coefficient))
      return Internal("linear: the coefficients are not finite; scale the features");
  }
  ModelDescription description{.learner = "linear",
                               .library = "sluice",
                               .task = request.task,
                               .class_count = request.class_count,
                               .feature_names = request.feature_names,
                               .params = params,
                               .best_iteration = solution.iteration_count};
  return std::make_unique<LinearModel>(std::move(description), std::move(curve),
                                       std::move(solution),
                                       ColumnDeviations(request.train.features));
}

Result<std::unique_ptr<Model>> LoadLinear(io::Fs&, const std::string&, const Json& json) {
  ASSIGN_OR_RETURN(ModelDescription description, ModelDescription::FromJson(json));
  size_t outputs =
      description.task == Task::kMulticlass ? static_cast<size_t>(description.class_count) : 1;
  size_t count = description.feature_names.size();
  LinearSolution solution;
  solution.output_count = static_cast<int64_t>(outputs);
  ASSIGN_OR_RETURN(const Json* rows, json.GetArray("coefficients"));
  if (rows->size() != outputs)
    return DataLoss(fmt::format("'coefficients' does not have {} rows", outputs));
  for (const Json& row : rows->AsArray()) {
    ASSIGN_OR_RETURN(std::vector<double> values, ReadNumbers(row, count, "coefficients"));
    solution.coefficients.insert(solution.coefficients.end(), values.begin(), values.end());
  }
  ASSIGN_OR_RETURN(const Json* intercepts, json.GetArray("intercepts"));
  ASSIGN_OR_RETURN(solution.intercepts, ReadNumbers(*intercepts, outputs, "intercepts"));
  ASSIGN_OR_RETURN(const Json* deviations, json.GetArray("deviations"));
  ASSIGN_OR_RETURN(std::vector<double> deviation_values,
                   ReadNumbers(*deviations, count, "deviations"));
  return std::make_unique<LinearModel>(std::move(description), std::vector<CurvePoint>(),
                                       std::move(solution), std::move(deviation_values));
}

}  // namespace sluice::learn::internal
