// What the settings of a native step say together, checked before anything runs: a misspelt gate
// rule should not wait for the end of a training. Rows of the table of kinds point here. Pure.
#pragma once

#include "base/result.h"
#include "formats/json.h"

namespace sluice::app {

// `settings` are resolved: typed, defaults filled in. Errors: kInvalidArgument naming the setting.
Status CheckSplitSettings(const formats::Json& settings);
Status CheckFeaturesSettings(const formats::Json& settings);
Status CheckTrainSettings(const formats::Json& settings);
Status CheckGateSettings(const formats::Json& settings);

}  // namespace sluice::app
