#include "learn/learners.h"

#include <fmt/format.h>

#include <cmath>

#include "base/suggest.h"
#include "learn/internal/gbdt.h"
#include "learn/internal/linear.h"
#include "learn/internal/model_base.h"

namespace sluice::learn {
namespace {

using formats::Json;

/// Why a label is not one that the task has, or empty.
std::string WrongLabel(const TrainRequest& request, double label) {
  if (!std::isfinite(label)) return "is missing or infinite";
  if (request.task == Task::kRegression) return "";
  if (label == std::floor(label) && label >= 0 && label < static_cast<double>(request.class_count))
    return "";
  return fmt::format("is {}, and classes are 0 to {}", label, request.class_count - 1);
}

Status CheckView(const TrainRequest& request, const LabelledView& data, std::string_view part) {
  if (data.features.row_count <= 0)
    return InvalidArgument(fmt::format("the {} part has no rows", part));
  size_t rows = static_cast<size_t>(data.features.row_count);
  if (data.features.column_count != static_cast<int64_t>(request.feature_names.size()) ||
      data.labels.size() != rows || (!data.weights.empty() && data.weights.size() != rows)) {
    return InvalidArgument(fmt::format(
        "the {} part has {} rows and {} columns, but {} labels, {} weights and {} names", part,
        rows, data.features.column_count, data.labels.size(), data.weights.size(),
        request.feature_names.size()));
  }
  for (size_t row = 0; row < rows; ++row) {
    if (std::string wrong = WrongLabel(request, data.labels[row]); !wrong.empty()) {
      return InvalidArgument(
          fmt::format("the label of row {} of the {} part {}", row + 1, part, wrong));
    }
  }
  double weight_sum = data.weights.empty() ? 1 : 0;
  for (size_t row = 0; row < data.weights.size(); ++row) {
    if (!std::isfinite(data.weights[row]) || data.weights[row] < 0) {
      return InvalidArgument(fmt::format(
          "the weight of row {} of the {} part is {}; weights are finite and not negative", row + 1,
          part, data.weights[row]));
    }
    weight_sum += data.weights[row];
  }
  if (!(weight_sum > 0))
    return InvalidArgument(fmt::format("every weight of the {} part is 0", part));
  return Ok();
}

Status CheckClasses(const TrainRequest& request) {
  if (request.task == Task::kRegression) return Ok();
  if (request.class_count < 2 || (request.task == Task::kBinary && request.class_count != 2)) {
    return InvalidArgument(
        fmt::format("{} classes for a {} task", request.class_count, TaskName(request.task)));
  }
  double first = request.train.labels[0];
  for (double label : request.train.labels) {
    if (label != first) return Ok();
  }
  size_t index = static_cast<size_t>(first);
  return InvalidArgument(fmt::format(
      "all {} rows of the train part have the class '{}'; a classifier needs two",
      request.train.labels.size(),
      index < request.class_names.size() ? request.class_names[index] : std::to_string(index)));
}

Status CheckRequest(const TrainRequest& request) {
  if (request.feature_names.empty()) return InvalidArgument("there are no features to train on");
  RETURN_IF_ERROR(CheckView(request, request.train, "train"));
  RETURN_IF_ERROR(CheckClasses(request));
  if (request.validation.has_value())
    RETURN_IF_ERROR(CheckView(request, *request.validation, "validation"));
  if (request.early_stopping.has_value() && !request.validation.has_value()) {
    return InvalidArgument(
        "early stopping needs a validation part: name one in `validation`, or leave early_stopping "
        "out");
  }
  return Ok();
}

}  // namespace

const std::vector<Learner>& Learners() {
  static const std::vector<Learner> learners = {
      {.name = "gbdt",
       .help = "Gradient boosted trees by XGBoost's histogram method. Takes missing values.",
       .params = internal::GbdtParams(),
       .train = internal::TrainGbdt,
       .load = internal::LoadGbdt},
      {.name = "linear",
       .help =
           "Logistic regression with an L2 penalty for classes (multinomial for more than two), "
           "ridge regression for numbers. "
           "Missing values must be imputed. Early stopping has no effect: the problem is convex.",
       .params = internal::LinearParams(),
       .train = internal::TrainLinear,
       .load = internal::LoadLinear},
  };
  return learners;
}

Result<const Learner*> FindLearner(std::string_view name) {
  std::vector<std::string> names;
  for (const Learner& learner : Learners()) {
    if (learner.name == name) return &learner;
    names.emplace_back(learner.name);
  }
  return InvalidArgument(fmt::format("there is no learner '{}'{}; learners are {}", name,
                                     DidYouMean(name, names), fmt::join(names, ", ")));
}

Result<std::unique_ptr<Model>> Train(std::string_view learner_name, const TrainRequest& request) {
  ASSIGN_OR_RETURN(const Learner* learner, FindLearner(learner_name));
  RETURN_IF_ERROR(CheckRequest(request));
  ASSIGN_OR_RETURN(Json params, ResolveParams(learner->name, learner->params, request.params));
  return learner->train(request, params);
}

Result<std::unique_ptr<Model>> LoadModel(io::Fs& fs, const std::string& folder) {
  std::string path = io::JoinPath(folder, internal::kDescriptionFile);
  ASSIGN_OR_RETURN(std::string text, fs.ReadFile(path, internal::kMaxModelFileBytes));
  ASSIGN_OR_RETURN(Json description, formats::ParseJson(text, {.file = path}));
  Result<const Learner*> learner = FindLearner(description.StringOr("learner", ""));
  if (!learner.ok()) return std::move(learner).error().With(path);
  Result<std::unique_ptr<Model>> model = (*learner)->load(fs, folder, description);
  if (!model.ok()) return std::move(model).error().With(fmt::format("load model '{}'", folder));
  return model;
}

}  // namespace sluice::learn
