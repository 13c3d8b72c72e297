// The adapter between a loaded model and the evaluation: a table in, what `evaluate` wants out.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/report.h"
#include "model/model.h"

namespace sluice::app {

/// Labels, weights and predictions of one model on one table. Rows without a label are left out if
/// the model's features say so.
struct ScoredTable {
  std::vector<double> labels;       ///< class index, or the value
  std::vector<double> weights;      ///< empty: all 1
  std::vector<double> predictions;  ///< as evaluate::EvaluateRequest wants them
  std::vector<int64_t> rows;        ///< row numbers in the table
  model::Predictions raw;           ///< for the predictions table
};

/// Errors: kInvalidArgument for a missing label column, an unknown class; those of
/// model::Model::PredictTable.
Result<ScoredTable> ScoreTable(const model::Model& model,
                               const std::shared_ptr<arrow::Table>& table);

/// One value a row for two classes (the probability of the second), rows × classes for more, the
/// value for regression.
std::vector<double> EvaluationPredictions(const model::Model& model,
                                          const model::Predictions& predictions);

/// The request for what the model says of the scored rows, at the model's own threshold; slices and
/// the rest as they are by default. `scored` must outlive it.
evaluate::EvaluateRequest EvaluationRequest(const model::Model& model, const ScoredTable& scored);

struct SliceChoice {
  std::vector<std::string> columns;
  std::vector<std::string> sensitive;  ///< also get fairness measures
};

/// Groups by text, bool and whole numbers with few values as they are; other numbers in ranges;
/// dates by month. `rows` picks the table's rows. Errors: kInvalidArgument for an unknown column
/// (with the nearest name).
Result<std::vector<evaluate::SliceColumn>> MakeSlices(const arrow::Table& table,
                                                      const std::vector<int64_t>& rows,
                                                      const SliceChoice& choice);

}  // namespace sluice::app
