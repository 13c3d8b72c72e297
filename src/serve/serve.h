// The inference protocol of MLflow's scoring server over a loaded model:
//
//     POST /invocations   predictions for rows as JSON (dataframe_split, dataframe_records,
//     instances, inputs) or CSV GET  /ping /health  "\n", 200 GET  /version       Sluice's version,
//     text
//
// `{"predictions": [...]}` holds what `predict` of a scikit-learn model gives, as MLflow's pyfunc
// does: for classifiers one class a row, for regression one number. With `"params":
// {"predict_method": "predict_proba"}` beside the data (the name MLflow's own sklearn flavor has
// for it) a classifier answers one list of probabilities a row, in the order of the classes in
// model.json. Other params are ignored with a line in the log, as MLflow does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/router.h"
#include "model/model.h"

namespace sluice::serve {

struct ServeOptions {
  std::string version;                ///< what /version answers
  int64_t row_count_max = 1'000'000;  ///< of one request; beyond it 400
  int64_t inline_body_bytes_max =
      8 << 10;  ///< requests up to this size are answered on the event loop
};

/// The rows of the route table. Handlers share the model and are thread-safe.
std::vector<http::Route> BuildRoutes(std::shared_ptr<const model::Model> model,
                                     ServeOptions options);

/// One request to /invocations: `content_type` and body in, status, type and body out. Pure.
///
/// 400 with {"error_code": "BAD_REQUEST", "message"} for what is no such JSON or CSV or has a value
/// that its column's type does not take; 400 "INVALID_PARAMETER_VALUE" for missing columns; 415
/// with plain text for content types. The texts are MLflow's, without the copy of the data that
/// MLflow puts into them.
http::Response Invoke(const model::Model& model, const ServeOptions& options,
                      std::string_view content_type, std::string_view body);

/// For model::ProveModelFolder: the rows encoded as a dataframe_split request, through Invoke twice
/// (labels, then probabilities), and read back from the responses.
Result<model::Predictions> PredictThroughWire(const model::Model& model,
                                              const std::shared_ptr<arrow::RecordBatch>& rows);

}  // namespace sluice::serve
