#include <arrow/table.h>
#include <fmt/format.h>

#include "app/steps/step.h"
#include "features/graph.h"
#include "learn/learners.h"
#include "model/folder.h"
#include "table/open.h"

namespace sluice::app {

namespace {

/// The rows of one part as the learner takes them; the storage lives as long as the view is used.
struct Part {
  features::LabelledData data;

  learn::LabelledView View() const {
    return {.features = {data.features.values.data(), data.features.row_count,
                         data.features.column_count},
            .labels = data.labels,
            .weights = data.weights};
  }
};

Result<Part> ReadPart(StepContext& context, const features::FeatureGraph& graph,
                      std::string_view input) {
  ASSIGN_OR_RETURN(std::string path, context.Input(input));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, table::OpenTable(path));
  Result<features::LabelledData> data = graph.ApplyLabelled(*table, context.thread_count());
  if (!data.ok()) return std::move(data).error().With(fmt::format("input {}", input));
  return Part{*std::move(data)};
}

learn::Task TaskOf(const features::LabelEncoder& label) {
  switch (label.task()) {
    case features::Task::kBinary: return learn::Task::kBinary;
    case features::Task::kMulticlass: return learn::Task::kMulticlass;
    case features::Task::kRegression: return learn::Task::kRegression;
  }
  return learn::Task::kRegression;
}

Result<std::optional<learn::EarlyStopping>> ReadEarlyStopping(const StepContext& context) {
  const formats::Json* given = context.params().Find("early_stopping");
  if (given == nullptr || given->is_null()) return std::optional<learn::EarlyStopping>();
  for (const auto& [key, value] : given->AsObject()) {
    if (key != "metric" && key != "patience" && key != "min_delta") {
      return InvalidArgument(fmt::format(
          "early_stopping has no key '{}'; it takes metric, patience and min_delta", key));
    }
  }
  learn::EarlyStopping stopping;
  if (given->Find("metric") != nullptr) {
    ASSIGN_OR_RETURN(stopping.metric, given->GetString("metric"));
  }
  if (given->Find("patience") != nullptr) {
    ASSIGN_OR_RETURN(stopping.patience, given->GetInteger("patience"));
  }
  if (given->Find("min_delta") != nullptr) {
    ASSIGN_OR_RETURN(stopping.min_delta, given->GetDouble("min_delta"));
  }
  return std::optional(stopping);
}

}  // namespace

Status RunTrain(StepContext& context) {
  ASSIGN_OR_RETURN(std::string features_path, context.Input("features"));
  ASSIGN_OR_RETURN(std::string features_text, io::RealFs().ReadFile(features_path));
  ASSIGN_OR_RETURN(features::FeatureGraph graph, features::FeatureGraph::FromText(features_text));
  if (graph.label() == nullptr) {
    return FailedPrecondition(
        "the features have no label; name it with `label:` in the features step");
  }
  ASSIGN_OR_RETURN(Part train, ReadPart(context, graph, "train"));
  std::optional<Part> validation;
  if (context.HasInput("validation")) {
    ASSIGN_OR_RETURN(validation, ReadPart(context, graph, "validation"));
  }

  learn::TrainRequest request;
  request.task = TaskOf(*graph.label());
  request.class_names = graph.label()->classes();
  request.class_count = static_cast<int64_t>(request.class_names.size());
  request.feature_names = graph.feature_names();
  request.train = train.View();
  if (validation) request.validation = validation->View();
  if (const formats::Json* params = context.params().Find("params")) request.params = *params;
  request.seed = static_cast<uint64_t>(context.seed());
  request.thread_count = context.thread_count();
  ASSIGN_OR_RETURN(request.early_stopping, ReadEarlyStopping(context));
  request.on_iteration = [&context](const learn::CurvePoint& point) {
    for (const learn::MetricValue& metric : point.metrics) {
      context.Metric("train_" + metric.name, metric.train, point.iteration);
      if (metric.validation)
        context.Metric("validation_" + metric.name, *metric.validation, point.iteration);
    }
    context.Progress(point.iteration, 0, "iterations");
    return true;
  };

  std::string learner = context.Text("learner");
  ASSIGN_OR_RETURN(std::unique_ptr<learn::Model> model, learn::Train(learner, request));
  ASSIGN_OR_RETURN(std::string output, context.Output("model"));
  double threshold = context.params().DoubleOr("threshold", 0.5);
  RETURN_IF_ERROR(model::WriteModel(
      {.features = graph, .learner = *model, .threshold = threshold, .seed = context.seed()},
      output));
  RETURN_IF_ERROR(WriteJsonFile(io::JoinPath(output, "curve.json"),
                                learn::CurveToJson(model->curve(), model->best_iteration())));

  context.Param("learner", learner);
  for (const auto& [key, value] : model->params().AsObject()) {
    context.Param(key, value.is_string() ? value.AsString() : formats::PrintJson(value));
  }
  context.Metric("best_iteration", static_cast<double>(model->best_iteration()));
  context.Summary(fmt::format("{} on {} rows and {} features, {} iterations", learner,
                              PrintCount(request.train.features.row_count),
                              request.feature_names.size(), model->best_iteration()));
  return Ok();
}

}  // namespace sluice::app
