// evaluate_metrics: metrics on standard input and output, for comparing with other implementations.
// One JSON object a line: {"task": "binary", "class_count": 2, "labels": [], "predictions": [],
// "weights": [] or absent, "threshold": 0.5}; one JSON object a line comes back: {"metrics": {name:
// x},
// ...} or {"error": text}. With "report": true, the answer is report.json; "slices" then maps names
// to texts by row, and "sensitive" lists those that get fairness measures.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "evaluate/curves.h"
#include "evaluate/internal/codec.h"
#include "evaluate/internal/report_parts.h"
#include "evaluate/report.h"
#include "formats/json.h"

namespace sluice::evaluate {
namespace {

using formats::Json;
using internal::NumbersToJson;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Json AveragesToJson(const ConfusionMatrix& matrix, bool is_binary) {
  Json json = Json::MakeObject();
  for (auto [average, name] : {std::pair{Average::kBinary, "binary"},
                               {Average::kMacro, "macro"},
                               {Average::kMicro, "micro"},
                               {Average::kWeighted, "weighted"}}) {
    if (average == Average::kBinary && !is_binary) continue;
    for (auto [value, suffix] : {std::pair{0.0, "0"}, {1.0, "1"}, {kNan, "nan"}}) {
      PrecisionRecallF1 all = ComputePrecisionRecallF1(matrix, average, value);
      json[fmt::format("{}/{}", name, suffix)] =
          NumbersToJson(std::vector<double>{all.precision, all.recall, all.f1});
    }
  }
  return json;
}

Json BinaryToJson(const EvaluateRequest& request) {
  Scored scored{request.labels, request.predictions, request.weights};
  RocCurve roc = ComputeRocCurve(scored, 0);
  PrCurve pr = ComputePrCurve(scored, 0);
  CalibrationCurve uniform = ComputeCalibrationCurve(scored, 10, CalibrationBins::kUniform);
  CalibrationCurve quantile = ComputeCalibrationCurve(scored, 10, CalibrationBins::kQuantile);
  return Json::MakeObject(
      {{"roc_auc", RocAuc(scored)},
       {"average_precision", AveragePrecision(scored)},
       {"pr_auc", PrAuc(scored)},
       {"log_loss", LogLoss(scored)},
       {"brier_score", BrierScore(scored)},
       {"expected_calibration_error", ExpectedCalibrationError(scored)},
       {"ks_statistic", KsStatistic(scored)},
       {"roc", Json::MakeObject({{"fpr", NumbersToJson(roc.fpr)},
                                 {"tpr", NumbersToJson(roc.tpr)},
                                 {"thresholds", NumbersToJson(roc.thresholds)}})},
       {"pr", Json::MakeObject({{"precision", NumbersToJson(pr.precision)},
                                {"recall", NumbersToJson(pr.recall)}})},
       {"calibration_uniform", Json::MakeObject({{"true", NumbersToJson(uniform.mean_label)},
                                                 {"pred", NumbersToJson(uniform.mean_score)}})},
       {"calibration_quantile", Json::MakeObject({{"true", NumbersToJson(quantile.mean_label)},
                                                  {"pred", NumbersToJson(quantile.mean_score)}})}});
}

Json MulticlassToJson(const EvaluateRequest& request) {
  ClassProbabilities input{request.labels, request.predictions,
                           static_cast<int64_t>(request.class_names.size()), request.weights};
  return Json::MakeObject(
      {{"roc_auc_ovr_macro", RocAucOvr(input, Average::kMacro)},
       {"roc_auc_ovr_micro", RocAucOvr(input, Average::kMicro)},
       {"roc_auc_ovr_weighted", RocAucOvr(input, Average::kWeighted)},
       {"roc_auc_ovo_macro", RocAucOvo(input, Average::kMacro)},
       {"roc_auc_ovo_weighted", RocAucOvo(input, Average::kWeighted)},
       {"average_precision_macro", AveragePrecision(input, Average::kMacro)},
       {"average_precision_micro", AveragePrecision(input, Average::kMicro)},
       {"average_precision_weighted", AveragePrecision(input, Average::kWeighted)},
       {"log_loss", LogLoss(input)},
       {"brier_score", BrierScore(input)},
       {"expected_calibration_error", ExpectedCalibrationError(input)}});
}

Result<Json> WholeReport(const Json& input, EvaluateRequest request) {
  if (const Json* slices = input.Find("slices")) {
    for (const auto& [name, values] : slices->AsObject()) {
      std::vector<std::optional<std::string>> texts;
      for (const Json& value : values.AsArray()) texts.emplace_back(value.AsString());
      request.slices.push_back(MakeSlice(name, texts));
      const Json* sensitive = input.Find("sensitive");
      for (size_t i = 0; sensitive != nullptr && i < sensitive->size(); ++i) {
        if (sensitive->At(i).AsString() == name) request.slices.back().is_sensitive = true;
      }
    }
  }
  ASSIGN_OR_RETURN(Report report, BuildReport(request));
  return ReportToJson(report);
}

Result<Json> Answer(const std::string& line) {
  ASSIGN_OR_RETURN(Json input, formats::ParseJson(line));
  ASSIGN_OR_RETURN(std::string task_name, input.GetString("task"));
  std::optional<Task> task = TaskFromName(task_name);
  if (!task) return InvalidArgument("unknown task '" + task_name + "'");
  ASSIGN_OR_RETURN(std::vector<double> labels, internal::NumbersFromJson(input, "labels"));
  ASSIGN_OR_RETURN(std::vector<double> predictions,
                   internal::NumbersFromJson(input, "predictions"));
  std::vector<double> weights;
  if (input.Find("weights") != nullptr) {
    ASSIGN_OR_RETURN(weights, internal::NumbersFromJson(input, "weights"));
  }
  EvaluateRequest request;
  request.task = *task;
  request.labels = labels;
  request.predictions = predictions;
  request.weights = weights;
  request.threshold = input.DoubleOr("threshold", 0.5);
  if (const Json* names = input.Find("class_names")) {
    for (const Json& name : names->AsArray()) request.class_names.push_back(name.AsString());
  }
  for (int64_t i = static_cast<int64_t>(request.class_names.size());
       *task != Task::kRegression && i < input.IntegerOr("class_count", 2); ++i) {
    request.class_names.push_back(std::to_string(i));
  }
  if (input.BoolOr("report", false)) return WholeReport(input, request);
  ASSIGN_OR_RETURN(std::vector<MetricValue> metrics, ComputeMetrics(request));
  Json values = Json::MakeObject();
  for (const MetricValue& metric : metrics) values[metric.name] = metric.value;
  Json answer = Json::MakeObject({{"metrics", std::move(values)}});
  if (*task == Task::kRegression) return answer;
  int64_t class_count = static_cast<int64_t>(request.class_names.size());
  std::vector<double> predicted = *task == Task::kBinary
                                      ? PredictedClasses(predictions, request.threshold)
                                      : PredictedClasses(predictions, class_count);
  ConfusionMatrix matrix({labels, predicted, weights}, class_count);
  answer["averages"] = AveragesToJson(matrix, *task == Task::kBinary);
  answer["functions"] = *task == Task::kBinary ? BinaryToJson(request) : MulticlassToJson(request);
  return answer;
}

}  // namespace
}  // namespace sluice::evaluate

int main() {
  using sluice::formats::Json;
  std::string line;
  while (std::getline(std::cin, line)) {
    sluice::Result<Json> answer = sluice::evaluate::Answer(line);
    Json out = answer.ok() ? *answer : Json::MakeObject({{"error", answer.error().message()}});
    std::cout << sluice::formats::PrintJson(out) << '\n';
  }
  return 0;
}
