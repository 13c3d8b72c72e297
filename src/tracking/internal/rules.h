// What may be a key, a value, an id or a name. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tracking/run.h"

namespace sluice::tracking::internal {

/// Where a metric, param or tag stands in a request, for messages: "metrics[3]"; nothing for a
/// request about one thing.
struct Place {
  std::string_view list = {};
  size_t index = 0;
};
// Characters, shape and length of a key, in MLflow's words. Errors: kInvalidArgument.
Status CheckMetric(const Place& place, const Metric& metric);
Status CheckParam(const Place& place, const Param& param);
Status CheckTag(const Place& place, const Tag& tag);
Status CheckExperimentName(std::string_view name);
/// MLflow's sentence: "'name' exceeds the maximum length of 500 characters". `what` is the field.
Status CheckLength(std::string_view what, std::string_view value, size_t max_length);
/// At most Limits::kArtifactLocationLength; a URI without fragment or parameters, without ".." in
/// its query, that is not runs:/.
Status CheckArtifactLocation(std::string_view location);
/// Not empty, none of / : . % " '
Status CheckLoggedModelName(std::string_view name);
/// Ids given by callers: a letter or digit, then up to 255 of letters, digits, '_' and '-'.
Status CheckRunId(std::string_view run_id);
/// Errors: kInvalidArgument "Invalid experiment ID 'abc'. ...".
Result<int64_t> ParseExperimentId(std::string_view experiment_id);

/// `steps`, a relative path, below a URI or path, before its query: "s3://b/a?x=1" and
/// "r/artifacts" make "s3://b/a/r/artifacts?x=1".
std::string JoinUri(std::string_view uri, std::string_view steps);

/// 1 to Limits::kPageSize, else "Invalid value 0 for parameter 'max_results' supplied. ...".
Status CheckPageSize(int64_t max_count);

/// The number of characters: UTF-8 bytes that do not continue one.
size_t CountCharacters(std::string_view text);
/// The first `max_count` characters.
std::string_view CutCharacters(std::string_view text, size_t max_count);

/// "calm-otter-417": for runs without a name.
std::string NewRunName();

}  // namespace sluice::tracking::internal
