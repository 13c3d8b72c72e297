// Two models on the same rows: is the difference more than chance?
#pragma once

#include <string>
#include <vector>

#include "evaluate/report.h"

namespace sluice::evaluate {

/// Challenger minus champion, with the interval of a paired bootstrap: both models are measured on
/// the same resampled rows, so what is hard for both cancels out.
struct MetricDifference {
  std::string name;
  double value = 0;
  Interval interval;
  friend bool operator==(const MetricDifference&, const MetricDifference&) = default;
};

struct Comparison {
  std::string rows_digest;                    ///< as Report::rows_digest
  std::vector<MetricDifference> differences;  ///< of every metric of the task that has intervals
  friend bool operator==(const Comparison&, const Comparison&) = default;
};

/// `champion_predictions` has the shape of request.predictions; slices and importances are not
/// looked at. Errors: as BuildReport.
Result<Comparison> ComparePaired(const EvaluateRequest& request,
                                 std::span<const double> champion_predictions);

/// comparison.json:
///   {"version": 1, "kind": "comparison", "rows_digest": hex,
///    "differences": {"roc_auc": {"value": x, "low": x, "high": x}}}
formats::Json ComparisonToJson(const Comparison& comparison);
/// Errors: kInvalidArgument naming the key that is missing or wrong.
Result<Comparison> ComparisonFromJson(const formats::Json& json);

}  // namespace sluice::evaluate
