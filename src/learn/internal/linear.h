// The learner linear: logistic and multinomial regression, ridge regression.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "learn/learner.h"
#include "learn/params.h"

namespace sluice::learn::internal {

std::vector<ParamSpec> LinearParams();
Result<std::unique_ptr<Model>> TrainLinear(const TrainRequest& request,
                                           const formats::Json& params);
Result<std::unique_ptr<Model>> LoadLinear(io::Fs& fs, const std::string& folder,
                                          const formats::Json& description);

}  // namespace sluice::learn::internal
