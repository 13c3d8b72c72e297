// The learner gbdt: boosted trees, grown by XGBoost's histogram method, evaluated by our own code.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "learn/learner.h"
#include "learn/params.h"

namespace sluice::learn::internal {

std::vector<ParamSpec> GbdtParams();
Result<std::unique_ptr<Model>> TrainGbdt(const TrainRequest& request, const formats::Json& params);
Result<std::unique_ptr<Model>> LoadGbdt(io::Fs& fs, const std::string& folder,
                                        const formats::Json& description);

}  // namespace sluice::learn::internal
