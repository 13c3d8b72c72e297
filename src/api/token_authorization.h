// One secret for everything: the embedded server of `sluice run` serves its own steps and nobody
// else.
#pragma once

#include <memory>
#include <string>

#include "api/access.h"

namespace sluice::api {

/// Whoever sends "Authorization: Bearer <token>" (MLFLOW_TRACKING_TOKEN) may do everything; all
/// others get 401. `token` must not be empty (CHECK).
std::unique_ptr<Authorization> MakeTokenAuthorization(std::string token);

}  // namespace sluice::api
