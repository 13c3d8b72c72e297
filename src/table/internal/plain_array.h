// Arrays in the one form that equal values share.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <vector>

#include "base/result.h"

namespace sluice::table::internal {

/// The pieces (canonical, all of one type, at least one) as one array with offset 0, a validity
/// bitmap only if there are nulls, zeros in the slots of nulls and in the bits behind the last
/// value. Equal values give equal buffers. Arrays that have this form already are not copied.
/// Errors: kResourceExhausted.
Result<std::shared_ptr<arrow::Array>> PlainArray(
    const std::vector<std::shared_ptr<arrow::Array>>& pieces);

}  // namespace sluice::table::internal
