// The model folder on disk. `train` writes the first three, `package` copies them and adds the
// rest:
//
//     model.json                the description (model/model.h)
//     features.json             the fitted feature graph
//     learner/                  the learner's own files
//     MLmodel                   MLflow's YAML: flavors, signature, model_uuid
//     training_statistics.json  profile of the training table, as the profile step prints it
//     input_example.json        a few rows, MLflow's dataframe_split
//     serving_input_example.json
//     golden_rows.arrow         rows of the test part, the signature's columns
//     golden_predictions.arrow  what the model said about them (PredictionsTable)
//     provenance.json           digests of data, code, parameters, environment and steps
//
// Equal parts give equal bytes: nothing in the folder tells time, place or machine; model_uuid
// comes from the digests of the other files.
#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "formats/json.h"
#include "model/model.h"

namespace sluice::model {

struct TrainedParts {
  const features::FeatureGraph& features;
  const learn::Model& learner;
  double threshold = 0.5;  ///< see Description
  int64_t seed = 0;
};

/// Writes model.json, features.json and learner/ into `dir`, which is made if it is not there;
/// other files there (curve.json) are left alone. Errors: those of Description::Of and io::Fs.
Status WriteModel(const TrainedParts& parts, const std::string& dir);

struct PackageParts {
  std::string trained_dir;  ///< what WriteModel wrote
  std::shared_ptr<arrow::Table>
      golden_rows;  ///< extra columns (the label) are dropped; at most kGoldenRowsMax are kept
  formats::Json training_statistics;  ///< null: no such file
  formats::Json provenance = formats::Json::MakeObject();
  std::string run_id;  ///< written into MLmodel when not empty
};
inline constexpr int64_t kGoldenRowsMax = 256;
inline constexpr int64_t kInputExampleRows = 5;

/// Writes the whole folder. `dir` must not exist or be empty. Does not prove it: see
/// ProveModelFolder. Errors: those of Model::Load on trained_dir, of EnforceSignature on the rows,
/// of io::Fs.
Status PackageModel(const PackageParts& parts, const std::string& dir);

/// The serving path as a function: the body of a dataframe_split request for these rows in, the
/// predictions out, the way they come back from a response. serve::PredictThroughWire is one; the
/// module of the model does not know HTTP.
using WirePredict = std::function<Result<Predictions>(
    const Model& model, const std::shared_ptr<arrow::RecordBatch>& rows)>;

/// Loads `dir` back and checks that the golden rows, all at once and one by one, give bit-equal
/// predictions directly and through `wire` (skipped when null). Errors: kDataLoss naming the first
/// row and column that differ, and those of Model::Load.
Status ProveModelFolder(const std::string& dir, const WirePredict& wire);

}  // namespace sluice::model
