// The parts of a report, each a pure function of the request. Inputs have been checked.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "evaluate/internal/bootstrap.h"
#include "evaluate/internal/engine.h"
#include "evaluate/report.h"

namespace sluice::evaluate::internal {

/// 1 for binary and regression, else the number of classes.
size_t PredictionWidth(const EvaluateRequest& request);
EngineInput ToEngineInput(const EvaluateRequest& request);

/// Errors: kInvalidArgument for everything that BuildReport says of the request's data.
Status CheckRequest(const EvaluateRequest& request);
/// SHA-256 of labels and weights, in hexadecimal.
std::string ComputeRowsDigest(const EvaluateRequest& request);
/// How many resamples to draw of a table with so many rows.
int64_t ResampleCountFor(const EvaluateRequest& request);

std::vector<ClassCurves> ComputeClassCurves(const EvaluateRequest& request);
ResidualReport ComputeResiduals(const EvaluateRequest& request);
/// `options.stream` is set per group.
SliceReport ComputeSlice(const EvaluateRequest& request, const SliceColumn& slice,
                         BootstrapOptions options);
FairnessReport ComputeFairness(const EvaluateRequest& request, const SliceColumn& slice,
                               const SliceReport& report);
/// `base` is the main metric on the rows as they are. Errors: of predict_permuted, and
/// kInvalidArgument for predictions of another shape or out of range.
Result<std::vector<ImportanceReport>> ComputeImportances(const EvaluateRequest& request,
                                                         const MetricInfo& metric, double base,
                                                         const std::function<void()>& on_done);

}  // namespace sluice::evaluate::internal
