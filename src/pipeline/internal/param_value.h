// Checking one value of a pipeline param.
#pragma once

#include "base/result.h"
#include "formats/json.h"
#include "pipeline/graph.h"

namespace sluice::pipeline {

// `value`, already of the param's type, against bounds and choices. Errors: kInvalidArgument
// without a place.
Status CheckParamValue(const Param& param, const formats::Json& value);

}  // namespace sluice::pipeline
