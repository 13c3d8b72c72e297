#include "evaluate/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "base/sha256.h"
#include "base/suggest.h"
#include "evaluate/internal/report_parts.h"
#include "evaluate/internal/rows.h"

namespace sluice::evaluate {

namespace internal {

size_t PredictionWidth(const EvaluateRequest& request) {
  return request.task == Task::kMulticlass ? request.class_names.size() : 1;
}

EngineInput ToEngineInput(const EvaluateRequest& request) {
  return {.task = request.task,
          .class_count = static_cast<int64_t>(request.class_names.size()),
          .labels = request.labels,
          .predictions = request.predictions,
          .weights = request.weights,
          .threshold = request.threshold};
}

Status CheckRequest(const EvaluateRequest& request) {
  if (request.labels.empty())
    return InvalidArgument(
        "the table has no rows with a label to evaluate on (is the test part empty?)");
  if (request.task == Task::kRegression) {
    RETURN_IF_ERROR(CheckRegression({request.labels, request.predictions, request.weights}));
  } else {
    size_t class_count = request.class_names.size();
    if (request.task == Task::kBinary ? class_count != 2 : class_count < 2) {
      return InvalidArgument(
          fmt::format("a {} report needs {} class names, not {}", TaskName(request.task),
                      request.task == Task::kBinary ? "two" : "at least two", class_count));
    }
    if (request.predictions.size() != request.labels.size() * PredictionWidth(request)) {
      return InvalidArgument(fmt::format("{} predictions for {} rows of {}; expected {}",
                                         request.predictions.size(), request.labels.size(),
                                         TaskName(request.task),
                                         request.labels.size() * PredictionWidth(request)));
    }
    RETURN_IF_ERROR(CheckClassification(request.labels, request.predictions,
                                        static_cast<int64_t>(class_count), request.weights));
  }
  if (!request.weights.empty() && std::none_of(request.weights.begin(), request.weights.end(),
                                               [](double w) { return w > 0; })) {
    return InvalidArgument("every row has weight 0");
  }
  for (const SliceColumn& slice : request.slices) {
    if (slice.codes.size() != request.labels.size()) {
      return InvalidArgument(fmt::format("slice '{}' has {} rows; the table has {}", slice.name,
                                         slice.codes.size(), request.labels.size()));
    }
    for (int32_t code : slice.codes) {
      if (code < 0 || static_cast<size_t>(code) >= slice.groups.size()) {
        return InvalidArgument(fmt::format("slice '{}' names group {}; it has {}", slice.name, code,
                                           slice.groups.size()));
      }
    }
  }
  return Ok();
}

std::string ComputeRowsDigest(const EvaluateRequest& request) {
  Sha256 hash;
  auto update = [&hash](std::span<const double> values) {
    hash.Update({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  };
  update(request.labels);
  hash.Update(request.weights.empty() ? "unweighted" : "weighted");
  update(request.weights);
  return hash.Finish().ToHex();
}

int64_t ResampleCountFor(const EvaluateRequest& request) {
  constexpr int64_t kLeast = 200;
  int64_t affordable = kResampleRowBudget / static_cast<int64_t>(request.labels.size());
  return std::min(request.resample_count, std::max(kLeast, affordable));
}

}  // namespace internal

const MetricValue* Report::FindMetricValue(std::string_view name) const {
  for (const MetricValue& metric : metrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

namespace {

Result<const MetricInfo*> ResolveMainMetric(const EvaluateRequest& request) {
  std::string_view name =
      request.main_metric.empty() ? MainMetric(request.task) : request.main_metric;
  const MetricInfo* metric = FindMetric(name);
  if (metric != nullptr && IsMetricFor(*metric, request.task)) return metric;
  std::vector<std::string> names;
  for (const MetricInfo& candidate : Metrics()) {
    if (IsMetricFor(candidate, request.task)) names.emplace_back(candidate.name);
  }
  return InvalidArgument(fmt::format("'{}' is not a {} metric{}", name, TaskName(request.task),
                                     DidYouMean(name, names)));
}

/// Counts finished resamples and permutations over all threads.
class Progress {
 public:
  Progress(const EvaluateRequest& request, int64_t total)
      : on_progress_(request.on_progress), total_(total) {}
  void Add(int64_t count) {
    int64_t done = done_ += count;
    if (on_progress_) on_progress_(done, total_);
  }

 private:
  const std::function<void(int64_t, int64_t)>& on_progress_;
  const int64_t total_;
  std::atomic<int64_t> done_{0};
};

int64_t CountWork(const EvaluateRequest& request, int64_t resample_count) {
  int64_t table_count = 1;
  for (const SliceColumn& slice : request.slices) {
    std::vector<bool> has_rows(slice.groups.size());
    for (int32_t code : slice.codes) has_rows[static_cast<size_t>(code)] = true;
    table_count += std::count(has_rows.begin(), has_rows.end(), true);
  }
  int64_t permutation_count = request.predict_permuted
                                  ? static_cast<int64_t>(request.importance_columns.size()) *
                                        std::max<int64_t>(request.importance_repeat_count, 0)
                                  : 0;
  return table_count * resample_count + permutation_count;
}

void AddClassFacts(const EvaluateRequest& request, Report& report) {
  report.class_names = request.class_names;
  report.class_row_counts.assign(request.class_names.size(), 0);
  for (double label : request.labels) ++report.class_row_counts[static_cast<size_t>(label)];
  std::vector<double> predicted =
      request.task == Task::kBinary
          ? PredictedClasses(request.predictions, request.threshold)
          : PredictedClasses(request.predictions, static_cast<int64_t>(request.class_names.size()));
  report.confusion = ConfusionMatrix({request.labels, predicted, request.weights},
                                     static_cast<int64_t>(request.class_names.size()));
  report.curves = internal::ComputeClassCurves(request);
}

}  // namespace

Result<std::vector<MetricValue>> ComputeMetrics(const EvaluateRequest& request) {
  RETURN_IF_ERROR(internal::CheckRequest(request));
  return internal::ComputeWithIntervals(
      *internal::MetricEngine::Create(internal::ToEngineInput(request)), {}, request.confidence);
}

Result<Report> BuildReport(const EvaluateRequest& request) {
  RETURN_IF_ERROR(internal::CheckRequest(request));
  ASSIGN_OR_RETURN(const MetricInfo* main_metric, ResolveMainMetric(request));
  if (!(request.confidence > 0 && request.confidence < 1)) {
    return InvalidArgument(
        fmt::format("confidence is {}; it must lie between 0 and 1", request.confidence));
  }
  Report report;
  report.task = request.task;
  report.row_count = static_cast<int64_t>(request.labels.size());
  report.is_weighted = !request.weights.empty();
  report.threshold = request.threshold;
  report.rows_digest = internal::ComputeRowsDigest(request);
  report.main_metric = main_metric->name;
  report.confidence = request.confidence;
  report.resample_count = std::max<int64_t>(internal::ResampleCountFor(request), 0);

  Progress progress(request, CountWork(request, report.resample_count));
  internal::BootstrapOptions options{.seed = request.seed,
                                     .stream = "table",
                                     .resample_count = report.resample_count,
                                     .thread_count = request.thread_count,
                                     .on_done = [&](int64_t count) { progress.Add(count); }};
  std::unique_ptr<internal::MetricEngine> engine =
      internal::MetricEngine::Create(internal::ToEngineInput(request));
  report.metrics = internal::ComputeWithIntervals(*engine, options, request.confidence);
  if (request.task == Task::kRegression) {
    report.residuals = internal::ComputeResiduals(request);
  } else {
    AddClassFacts(request, report);
  }
  for (const SliceColumn& slice : request.slices) {
    report.slices.push_back(internal::ComputeSlice(request, slice, options));
    if (slice.is_sensitive && request.task == Task::kBinary) {
      report.fairness.push_back(internal::ComputeFairness(request, slice, report.slices.back()));
    }
  }
  double base = report.FindMetricValue(main_metric->name)->value;
  ASSIGN_OR_RETURN(report.importances, internal::ComputeImportances(request, *main_metric, base,
                                                                    [&] { progress.Add(1); }));
  return report;
}

}  // namespace sluice::evaluate
