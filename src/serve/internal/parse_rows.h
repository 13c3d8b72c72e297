// The body of a request to /invocations into rows of the signature. All functions here are pure.
//
// Errors: kInvalidArgument is MLflow's BAD_REQUEST, kFailedPrecondition its
// INVALID_PARAMETER_VALUE.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "model/signature.h"

namespace sluice::serve::internal {

struct ParsedRequest {
  std::shared_ptr<arrow::RecordBatch> rows;  ///< the signature's columns
  bool wants_probabilities = false;          ///< params.predict_method
};

Result<ParsedRequest> ParseJsonRequest(const model::Signature& signature, std::string_view body,
                                       int64_t row_count_max);
Result<ParsedRequest> ParseCsvRequest(const model::Signature& signature, std::string_view body,
                                      int64_t row_count_max);

/// The short way for the usual request: dataframe_split with the columns before the data, or
/// dataframe_records with the same members in each record, texts without escapes, nothing else
/// beside. Whatever it takes ParseJsonRequest takes too, with the same rows; whatever is unusual or
/// wrong in any way gives nothing, and ParseJsonRequest decides.
std::optional<ParsedRequest> ParseUsualJsonRequest(const model::Signature& signature,
                                                   std::string_view body, int64_t row_count_max);

}  // namespace sluice::serve::internal
