// Small trained models for tests of this module and of those above it.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>

#include "model/model.h"

namespace sluice::model::testing {

enum class Target : uint8_t { kBinaryText, kBinaryBool, kMulticlassInteger, kRegression };

/// Deterministic rows with every canonical type: age (long), income (double, some missing), city
/// (string, some missing), member (boolean), joined (date), seen (datetime), visits (long, some
/// missing), and the label "target".
std::shared_ptr<arrow::Table> MakeTable(Target target, int64_t row_count = 200);

/// Fits, trains `learner` ("linear" or "gbdt", few iterations) on MakeTable and writes the train
/// step's folder. Aborts on errors: a broken fixture is a bug.
void WriteTrainedModel(Target target, const std::string& learner, const std::string& dir);

/// The above in a scratch folder, loaded.
std::shared_ptr<const Model> TrainAndLoad(Target target, const std::string& learner);

}  // namespace sluice::model::testing
