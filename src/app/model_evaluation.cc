#include "app/model_evaluation.h"

#include <arrow/array.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <cmath>
#include <unordered_set>

#include "app/steps/table_output.h"
#include "data/split.h"
#include "table/canonical.h"

namespace sluice::app {

namespace {

constexpr size_t kWholeNumberGroups =
    20;  // an int64 column with more distinct values is cut into ranges

/// The column's values as text, in the order of `rows`; dates and timestamps cut to their month.
Result<std::vector<std::optional<std::string>>> TextOf(
    const std::shared_ptr<arrow::ChunkedArray>& column, const std::vector<int64_t>& rows) {
  std::optional<table::ColumnType> type = table::CanonicalType(*column->type());
  CHECK(type.has_value());
  bool is_time = *type == table::ColumnType::kDate || *type == table::ColumnType::kTimestamp;
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::ChunkedArray> text,
                   table::WidenColumn(column, table::ColumnType::kString));
  std::vector<std::optional<std::string>> all(static_cast<size_t>(text->length()));
  size_t at = 0;
  for (const std::shared_ptr<arrow::Array>& chunk : text->chunks()) {
    const auto& strings = static_cast<const arrow::StringArray&>(*chunk);
    for (int64_t i = 0; i < strings.length(); ++i, ++at) {
      if (!strings.IsNull(i))
        all[at] = std::string(strings.GetView(i).substr(0, is_time ? 7 : std::string::npos));
    }
  }
  std::vector<std::optional<std::string>> values;
  values.reserve(rows.size());
  for (int64_t row : rows) values.push_back(all[static_cast<size_t>(row)]);
  return values;
}

Result<std::vector<double>> NumbersOf(const std::shared_ptr<arrow::ChunkedArray>& column,
                                      const std::vector<int64_t>& rows) {
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::ChunkedArray> numbers,
                   table::WidenColumn(column, table::ColumnType::kDouble));
  std::vector<double> all(static_cast<size_t>(numbers->length()), std::nan(""));
  size_t at = 0;
  for (const std::shared_ptr<arrow::Array>& chunk : numbers->chunks()) {
    const auto& doubles = static_cast<const arrow::DoubleArray&>(*chunk);
    for (int64_t i = 0; i < doubles.length(); ++i, ++at) {
      if (!doubles.IsNull(i)) all[at] = doubles.Value(i);
    }
  }
  std::vector<double> values;
  values.reserve(rows.size());
  for (int64_t row : rows) values.push_back(all[static_cast<size_t>(row)]);
  return values;
}

bool HasFewValues(const std::vector<double>& values) {
  std::unordered_set<double> distinct;
  for (double value : values) {
    if (!std::isnan(value)) distinct.insert(value);
    if (distinct.size() > kWholeNumberGroups) return false;
  }
  return true;
}

evaluate::Task EvaluationTask(const model::Model& model) {
  switch (model.description().task) {
    case model::Task::kBinary: return evaluate::Task::kBinary;
    case model::Task::kMulticlass: return evaluate::Task::kMulticlass;
    case model::Task::kRegression: return evaluate::Task::kRegression;
  }
  return evaluate::Task::kRegression;
}

std::vector<std::string> ClassNames(const model::Model& model) {
  std::vector<std::string> names;
  for (const formats::Json& name : model.description().classes) {
    names.push_back(name.is_string() ? name.AsString() : formats::PrintJson(name));
  }
  return names;
}

}  // namespace

evaluate::EvaluateRequest EvaluationRequest(const model::Model& model, const ScoredTable& scored) {
  evaluate::EvaluateRequest request;
  request.task = EvaluationTask(model);
  request.class_names = ClassNames(model);
  request.labels = scored.labels;
  request.predictions = scored.predictions;
  request.weights = scored.weights;
  request.threshold = model.description().threshold;
  return request;
}

std::vector<double> EvaluationPredictions(const model::Model& model,
                                          const model::Predictions& predictions) {
  if (model.description().task == model::Task::kRegression) return predictions.values;
  if (model.description().task == model::Task::kMulticlass) return predictions.probabilities;
  std::vector<double> positive(static_cast<size_t>(predictions.row_count));
  for (size_t row = 0; row < positive.size(); ++row)
    positive[row] = predictions.probabilities[2 * row + 1];
  return positive;
}

Result<ScoredTable> ScoreTable(const model::Model& model,
                               const std::shared_ptr<arrow::Table>& table) {
  const features::FeatureGraph& graph = model.features();
  CHECK(graph.label() != nullptr);
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::ChunkedArray> label_column,
                   FindColumn(*table, graph.label()->name()));
  ASSIGN_OR_RETURN(features::EncodedLabels labels, graph.label()->Encode(*label_column));
  std::vector<double> weights;
  if (!graph.weight_column().empty()) {
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::ChunkedArray> column,
                     FindColumn(*table, graph.weight_column()));
    std::vector<int64_t> every_row(static_cast<size_t>(table->num_rows()));
    for (size_t i = 0; i < every_row.size(); ++i) every_row[i] = static_cast<int64_t>(i);
    ASSIGN_OR_RETURN(weights, NumbersOf(column, every_row));
  }

  ScoredTable scored;
  std::shared_ptr<arrow::Table> kept = table;
  if (labels.missing_count > 0 && !graph.label()->drops_missing()) {
    return InvalidArgument(
        fmt::format("label '{}' is missing in {} of {} rows; drop them with `missing_label: drop`",
                    graph.label()->name(), labels.missing_count, table->num_rows()));
  }
  for (size_t row = 0; row < labels.values.size(); ++row) {
    if (std::isnan(labels.values[row])) continue;
    scored.rows.push_back(static_cast<int64_t>(row));
    scored.labels.push_back(labels.values[row]);
    if (!weights.empty()) scored.weights.push_back(weights[row]);
  }
  if (labels.missing_count > 0) {
    ASSIGN_OR_RETURN(kept, data::TakeRows(table, scored.rows));
  }
  ASSIGN_OR_RETURN(scored.raw, model.PredictTable(kept));
  scored.predictions = EvaluationPredictions(model, scored.raw);
  return scored;
}

Result<std::vector<evaluate::SliceColumn>> MakeSlices(const arrow::Table& table,
                                                      const std::vector<int64_t>& rows,
                                                      const SliceChoice& choice) {
  std::vector<std::string> columns = choice.columns;
  for (const std::string& column : choice.sensitive) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end())
      columns.push_back(column);
  }
  std::vector<evaluate::SliceColumn> slices;
  for (const std::string& name : columns) {
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::ChunkedArray> column, FindColumn(table, name));
    std::optional<table::ColumnType> type = table::CanonicalType(*column->type());
    bool is_number = type == table::ColumnType::kInt64 || type == table::ColumnType::kDouble;
    evaluate::SliceColumn slice;
    std::vector<double> numbers;
    if (is_number) {
      ASSIGN_OR_RETURN(numbers, NumbersOf(column, rows));
    }
    if (is_number && !(type == table::ColumnType::kInt64 && HasFewValues(numbers))) {
      slice = evaluate::MakeNumericSlice(name, numbers);
    } else {
      ASSIGN_OR_RETURN(std::vector<std::optional<std::string>> texts, TextOf(column, rows));
      slice = evaluate::MakeSlice(name, texts);
    }
    slice.is_sensitive =
        std::find(choice.sensitive.begin(), choice.sensitive.end(), name) != choice.sensitive.end();
    slices.push_back(std::move(slice));
  }
  return slices;
}

}  // namespace sluice::app
