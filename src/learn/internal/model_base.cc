#include "learn/internal/model_base.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"

namespace sluice::learn::internal {

using formats::Json;

Json ModelDescription::ToJson() const {
  Json names = Json::MakeArray();
  for (const std::string& name : feature_names) names.Append(name);
  return Json::MakeObject({{"version", 1},
                           {"kind", "learner"},
                           {"learner", learner},
                           {"library", library},
                           {"task", TaskName(task)},
                           {"class_count", class_count},
                           {"feature_names", std::move(names)},
                           {"params", params},
                           {"best_iteration", best_iteration}});
}

Result<ModelDescription> ModelDescription::FromJson(const Json& json) {
  if (json.StringOr("kind", "") != "learner") return DataLoss("its 'kind' is not 'learner'");
  ASSIGN_OR_RETURN(int64_t version, json.GetInteger("version"));
  if (version != 1) {
    return InvalidArgument(fmt::format(
        "it has version {}, and this program reads version 1; use a newer program", version));
  }
  ModelDescription description;
  ASSIGN_OR_RETURN(description.learner, json.GetString("learner"));
  ASSIGN_OR_RETURN(description.library, json.GetString("library"));
  ASSIGN_OR_RETURN(std::string task_name, json.GetString("task"));
  std::optional<Task> task = TaskFromName(task_name);
  if (!task.has_value()) return DataLoss(fmt::format("unknown task '{}'", task_name));
  description.task = *task;
  ASSIGN_OR_RETURN(description.class_count, json.GetInteger("class_count"));
  bool is_count_right = *task == Task::kRegression ? description.class_count == 0
                        : *task == Task::kBinary   ? description.class_count == 2
                                                   : description.class_count >= 2;
  if (!is_count_right)
    return DataLoss(fmt::format("{} classes for a {} task", description.class_count, task_name));
  ASSIGN_OR_RETURN(const Json* names, json.GetArray("feature_names"));
  for (const Json& name : names->AsArray()) {
    if (!name.is_string()) return DataLoss("'feature_names' holds something that is no text");
    description.feature_names.push_back(name.AsString());
  }
  ASSIGN_OR_RETURN(const Json* params, json.GetObject("params"));
  description.params = *params;
  ASSIGN_OR_RETURN(description.best_iteration, json.GetInteger("best_iteration"));
  return description;
}

Status ModelBase::CheckColumns(const MatrixView& features) const {
  if (features.column_count == static_cast<int64_t>(feature_names().size())) return Ok();
  return InvalidArgument(fmt::format("the model takes {} features, found {}",
                                     feature_names().size(), features.column_count));
}

Status WriteDescription(io::Fs& fs, const std::string& folder, const Json& json) {
  std::string text = formats::PrintJson(json, {.indent = 1}) + "\n";
  return fs.WriteFileAtomic(io::JoinPath(folder, kDescriptionFile), text, io::Durability::kFast);
}

namespace {

Result<std::vector<double>> BalancedFactors(const TrainRequest& request) {
  std::vector<double> counts(static_cast<size_t>(request.class_count), 0);
  for (double label : request.train.labels) ++counts[static_cast<size_t>(label)];
  double rows = static_cast<double>(request.train.labels.size());
  // A class without rows has no row to weigh.
  for (double& count : counts)
    count = count > 0 ? rows / (static_cast<double>(counts.size()) * count) : 1;
  return counts;
}

Result<std::vector<double>> NamedFactors(const TrainRequest& request, const Json& map) {
  std::vector<std::string> names = request.class_names;
  for (size_t i = names.size(); i < static_cast<size_t>(request.class_count); ++i)
    names.push_back(std::to_string(i));
  std::vector<double> factors(names.size(), 1);
  for (const auto& [name, weight] : map.AsObject()) {
    auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      return InvalidArgument(
          fmt::format("class_weight: there is no class '{}'{}", name, DidYouMean(name, names)));
    }
    factors[static_cast<size_t>(found - names.begin())] = weight.AsDouble();
  }
  return factors;
}

}  // namespace

Result<std::vector<double>> EffectiveWeights(const TrainRequest& request,
                                             const Json& class_weight) {
  std::span<const double> given = request.train.weights;
  if (class_weight.is_null()) return std::vector<double>(given.begin(), given.end());
  if (request.task == Task::kRegression)
    return InvalidArgument("class_weight is for classification, and this is a regression");
  std::vector<double> factors;
  if (class_weight.is_string()) {
    ASSIGN_OR_RETURN(factors, BalancedFactors(request));
  } else {
    ASSIGN_OR_RETURN(factors, NamedFactors(request, class_weight));
  }
  std::vector<double> weights(request.train.labels.size());
  double sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] =
        factors[static_cast<size_t>(request.train.labels[i])] * (given.empty() ? 1 : given[i]);
    sum += weights[i];
  }
  if (!(sum > 0)) return InvalidArgument("class_weight leaves every row with weight 0");
  return weights;
}

}  // namespace sluice::learn::internal
