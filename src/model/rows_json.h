// Rows as MLflow's dataframe_split: {"columns": [...], "data": [[...], ...]}. Pure.
#pragma once

#include <arrow/type_fwd.h>

#include <string>

#include "base/result.h"

namespace sluice::model {

/// `rows` has canonical types only (CHECK). Missing values and NaN are null, infinities Python's
/// literals, dates "2024-05-01", datetimes "2024-05-01T13:45:00.000025" (no fraction when it is
/// zero). Doubles read back to the same bits.
Result<std::string> PrintSplitJson(const arrow::RecordBatch& rows);

}  // namespace sluice::model
