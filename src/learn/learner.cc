#include "learn/learner.h"

#include <array>

namespace sluice::learn {
namespace {

using formats::Json;

constexpr std::array<std::pair<Task, std::string_view>, 3> kTasks = {
    {{Task::kBinary, "binary"},
     {Task::kMulticlass, "multiclass"},
     {Task::kRegression, "regression"}}};

}  // namespace

std::string_view TaskName(Task task) { return kTasks[static_cast<size_t>(task)].second; }

std::optional<Task> TaskFromName(std::string_view name) {
  for (const auto& [task, task_name] : kTasks) {
    if (task_name == name) return task;
  }
  return std::nullopt;
}

Result<std::vector<double>> Model::Predict(const MatrixView& features, int thread_count) const {
  std::vector<double> out(static_cast<size_t>(features.row_count * output_count()));
  RETURN_IF_ERROR(PredictInto(features, out, thread_count));
  return out;
}

Json CurveToJson(const std::vector<CurvePoint>& curve, int64_t best_iteration) {
  Json points = Json::MakeArray();
  for (const CurvePoint& point : curve) {
    Json train = Json::MakeObject();
    Json validation = Json::MakeObject();
    for (const MetricValue& metric : point.metrics) {
      train[metric.name] = metric.train;
      if (metric.validation.has_value()) validation[metric.name] = *metric.validation;
    }
    Json printed = Json::MakeObject({{"iteration", point.iteration}, {"train", std::move(train)}});
    if (validation.size() > 0) printed["validation"] = std::move(validation);
    points.Append(std::move(printed));
  }
  return Json::MakeObject({{"version", 1},
                           {"kind", "curve"},
                           {"best_iteration", best_iteration},
                           {"points", std::move(points)}});
}

}  // namespace sluice::learn
