#include <arrow/compute/api_vector.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <set>

#include "app/model_evaluation.h"
#include "app/model_identity.h"
#include "app/steps/step.h"
#include "app/steps/table_output.h"
#include "base/random.h"
#include "data/split.h"
#include "evaluate/report.h"
#include "model/model.h"
#include "objects/store.h"
#include "table/open.h"

namespace sluice::app {

namespace {

/// Rows for permutation importance: every column costs a prediction of all of them a few times
/// over, and the means settle long before a large table ends.
struct ImportanceRows {
  std::shared_ptr<arrow::Table> table;
  std::vector<double> labels, weights, predictions;
};

Result<ImportanceRows> SampleRows(const std::shared_ptr<arrow::Table>& table,
                                  const ScoredTable& scored, const model::Model& model,
                                  int64_t row_limit, int64_t seed) {
  std::vector<size_t> positions(scored.rows.size());
  for (size_t i = 0; i < positions.size(); ++i) positions[i] = i;
  if (static_cast<int64_t>(positions.size()) > row_limit) {
    Random(static_cast<uint64_t>(seed), "importance rows").Shuffle(std::span(positions));
    positions.resize(static_cast<size_t>(row_limit));
    std::sort(positions.begin(), positions.end());
  }
  ImportanceRows sample;
  std::vector<int64_t> rows;
  size_t width = scored.rows.empty() ? 1 : scored.predictions.size() / scored.rows.size();
  for (size_t position : positions) {
    rows.push_back(scored.rows[position]);
    sample.labels.push_back(scored.labels[position]);
    if (!scored.weights.empty()) sample.weights.push_back(scored.weights[position]);
    auto first = scored.predictions.begin() + static_cast<int64_t>(position * width);
    sample.predictions.insert(sample.predictions.end(), first, first + static_cast<int64_t>(width));
  }
  std::vector<std::string> columns;
  for (const model::InputColumn& input : model.signature().inputs) {
    if (table->GetColumnByName(input.name)) columns.push_back(input.name);
  }
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> inputs, table::SelectColumns(table, columns));
  ASSIGN_OR_RETURN(sample.table, data::TakeRows(inputs, rows));
  return sample;
}

Result<std::vector<double>> PredictPermuted(const model::Model& model, const ImportanceRows& sample,
                                            const std::string& column,
                                            std::span<const int64_t> permutation) {
  int index = sample.table->schema()->GetFieldIndex(column);
  std::vector<int64_t> order(permutation.begin(), permutation.end());
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> one, table::SelectColumns(sample.table, {column}));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> permuted, data::TakeRows(one, order));
  arrow::Result<std::shared_ptr<arrow::Table>> table =
      sample.table->SetColumn(index, sample.table->schema()->field(index), permuted->column(0));
  if (!table.ok()) return Internal(table.status().ToString());
  ASSIGN_OR_RETURN(model::Predictions predictions, model.PredictTable(*table));
  return EvaluationPredictions(model, predictions);
}

/// Importances of the sampled rows; the rest of that report is not used.
Result<std::vector<evaluate::ImportanceReport>> MeasureImportances(
    StepContext& context, const model::Model& model, const std::shared_ptr<arrow::Table>& table,
    const ScoredTable& scored, const evaluate::EvaluateRequest& whole) {
  formats::Json given;
  if (const formats::Json* found = context.params().Find("importance")) given = *found;
  int64_t repeats = given.IntegerOr("repeats", 3);
  int64_t row_limit = given.IntegerOr("rows", 2000);
  if (repeats <= 0 || row_limit <= 0) return std::vector<evaluate::ImportanceReport>();
  ASSIGN_OR_RETURN(ImportanceRows sample,
                   SampleRows(table, scored, model, row_limit, context.seed()));
  evaluate::EvaluateRequest request;
  request.task = whole.task;
  request.class_names = whole.class_names;
  request.labels = sample.labels;
  request.weights = sample.weights;
  request.predictions = sample.predictions;
  request.threshold = whole.threshold;
  request.main_metric = whole.main_metric;
  request.seed = whole.seed;
  request.resample_count = 0;
  request.importance_columns = sample.table->ColumnNames();
  request.importance_repeat_count = repeats;
  request.predict_permuted = [&](const std::string& column, std::span<const int64_t> permutation) {
    return PredictPermuted(model, sample, column, permutation);
  };
  request.on_progress = [&](int64_t done, int64_t total) {
    context.Progress(done, total, "columns");
  };
  ASSIGN_OR_RETURN(evaluate::Report report, evaluate::BuildReport(request));
  return std::move(report.importances);
}

/// Labels beside what the model says, so that anybody can compute any metric again.
Status WritePredictions(const model::Model& model, const std::shared_ptr<arrow::Table>& table,
                        const ScoredTable& scored, const std::string& output) {
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> predictions,
                   model::PredictionsTable(model.description(), scored.raw));
  const std::string& label = model.features().label()->name();
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> labels, table::SelectColumns(table, {label}));
  ASSIGN_OR_RETURN(labels, data::TakeRows(labels, scored.rows));
  arrow::Result<std::shared_ptr<arrow::Table>> both = predictions->AddColumn(
      0, arrow::field("label", labels->schema()->field(0)->type()), labels->column(0));
  if (!both.ok()) return Internal(both.status().ToString());
  return WriteTableOutput(**both, output);
}

}  // namespace

Status RunEvaluate(StepContext& context) {
  ASSIGN_OR_RETURN(std::string model_path, context.Input("model"));
  ASSIGN_OR_RETURN(std::shared_ptr<const model::Model> model, model::Model::Load(model_path));
  ASSIGN_OR_RETURN(std::string table_path, context.Input("table"));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, table::OpenTable(table_path));
  ASSIGN_OR_RETURN(ScoredTable scored, ScoreTable(*model, table));

  evaluate::EvaluateRequest request = EvaluationRequest(*model, scored);
  request.threshold = context.params().DoubleOr("threshold", model->description().threshold);
  request.main_metric = context.Text("metric");
  request.seed = static_cast<uint64_t>(context.seed());
  request.thread_count = static_cast<size_t>(context.thread_count());
  request.resample_count = context.params().IntegerOr("bootstrap", 1000);
  request.on_progress = [&](int64_t done, int64_t total) {
    context.Progress(done, total, "resamples");
  };
  ASSIGN_OR_RETURN(request.slices, MakeSlices(*table, scored.rows,
                                              {.columns = context.Texts("slices"),
                                               .sensitive = context.Texts("sensitive")}));
  ASSIGN_OR_RETURN(evaluate::Report report, evaluate::BuildReport(request));
  ASSIGN_OR_RETURN(report.importances, MeasureImportances(context, *model, table, scored, request));

  formats::Json json = evaluate::ReportToJson(report);
  // A gate evaluates the champion on the same rows: it finds them in the object store by this id.
  ASSIGN_OR_RETURN(objects::Stored stored, objects::HashPath(io::RealFs(), table_path));
  json["table"] = stored.id.ToString();
  ASSIGN_OR_RETURN(std::string identity, ComputeModelIdentity(model_path));
  json["model"] = identity;
  json["label"] = model->features().label()->name();
  json["slice_columns"] = formats::Json(formats::Json::Array());
  for (const evaluate::SliceColumn& slice : request.slices)
    json["slice_columns"].Append(slice.name);
  ASSIGN_OR_RETURN(std::string output, context.Output("report"));
  RETURN_IF_ERROR(WriteJsonFile(output, json));
  ASSIGN_OR_RETURN(std::string predictions_output, context.Output("predictions"));
  RETURN_IF_ERROR(WritePredictions(*model, table, scored, predictions_output));

  std::string summary;
  for (const evaluate::MetricValue& metric : report.metrics)
    context.Metric(metric.name, metric.value);
  for (std::string_view name : {std::string_view(report.main_metric), std::string_view("accuracy"),
                                std::string_view("log_loss"), std::string_view("r2")}) {
    const evaluate::MetricValue* metric = report.FindMetricValue(name);
    if (metric == nullptr || summary.find(fmt::format("{} ", name)) != std::string::npos) continue;
    summary += fmt::format("{}{} {:.4f}", summary.empty() ? "" : ", ", name, metric->value);
  }
  context.Summary(fmt::format("{} on {} rows", summary, PrintCount(report.row_count)));
  return Ok();
}

}  // namespace sluice::app
