#include "evaluate/compare.h"

#include <cmath>

#include "evaluate/internal/codec.h"
#include "evaluate/internal/report_parts.h"

namespace sluice::evaluate {

using formats::Json;
using internal::MetricEngine;

Result<Comparison> ComparePaired(const EvaluateRequest& request,
                                 std::span<const double> champion_predictions) {
  RETURN_IF_ERROR(internal::CheckRequest(request));
  EvaluateRequest champion_request = request;
  champion_request.predictions = champion_predictions;
  if (Status status = internal::CheckRequest(champion_request); !status.ok()) {
    return Error(status.error()).With("champion");
  }
  std::unique_ptr<MetricEngine> challenger = MetricEngine::Create(internal::ToEngineInput(request));
  std::unique_ptr<MetricEngine> champion =
      MetricEngine::Create(internal::ToEngineInput(champion_request));
  internal::BootstrapOptions options{.seed = request.seed,
                                     .stream = "compare",
                                     .resample_count = internal::ResampleCountFor(request),
                                     .thread_count = request.thread_count,
                                     .on_done = {}};
  size_t name_count = challenger->names().size();
  std::vector<std::vector<double>> by_name(
      name_count, std::vector<double>(static_cast<size_t>(options.resample_count)));
  internal::ForEachResample(options, challenger->weights(),
                            [&](int64_t index, std::span<const double> weights) {
                              std::vector<double> ours(name_count), theirs(name_count);
                              challenger->Compute(weights, ours);
                              champion->Compute(weights, theirs);
                              for (size_t i = 0; i < name_count; ++i) {
                                by_name[i][static_cast<size_t>(index)] = ours[i] - theirs[i];
                              }
                            });
  Comparison comparison{.rows_digest = internal::ComputeRowsDigest(request), .differences = {}};
  std::vector<double> ours = challenger->Compute(), theirs = champion->Compute();
  for (size_t i = 0; i < name_count; ++i) {
    double value = ours[i] - theirs[i];
    std::optional<Interval> interval =
        internal::PercentileInterval(std::move(by_name[i]), request.confidence);
    if (std::isnan(value) || !interval || challenger->names()[i] == "max_error") continue;
    comparison.differences.push_back({std::string(challenger->names()[i]), value, *interval});
  }
  return comparison;
}

Json ComparisonToJson(const Comparison& comparison) {
  Json differences = Json::MakeObject();
  for (const MetricDifference& one : comparison.differences) {
    differences[one.name] = internal::ValueToJson(one.value, one.interval);
  }
  return Json::MakeObject({{"version", 1},
                           {"kind", "comparison"},
                           {"rows_digest", comparison.rows_digest},
                           {"differences", std::move(differences)}});
}

Result<Comparison> ComparisonFromJson(const Json& json) {
  RETURN_IF_ERROR(internal::CheckKind(json, "comparison"));
  Comparison comparison;
  ASSIGN_OR_RETURN(comparison.rows_digest, json.GetString("rows_digest"));
  ASSIGN_OR_RETURN(const Json* differences, json.GetObject("differences"));
  for (const auto& [name, value] : differences->AsObject()) {
    MetricDifference one{.name = name, .value = 0, .interval = {}};
    ASSIGN_OR_RETURN(one.value, value.GetDouble("value"));
    ASSIGN_OR_RETURN(one.interval.low, value.GetDouble("low"));
    ASSIGN_OR_RETURN(one.interval.high, value.GetDouble("high"));
    comparison.differences.push_back(std::move(one));
  }
  return comparison;
}

}  // namespace sluice::evaluate
