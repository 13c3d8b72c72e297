// All metrics of a task from one set of row weights. Built once per table or slice (sorting happens
// there), then evaluated for the rows' own weights and for every bootstrap resample in O(rows).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate/metrics.h"

namespace sluice::evaluate::internal {

struct EngineInput {
  Task task = Task::kBinary;
  int64_t class_count = 2;
  std::span<const double> labels;
  std::span<const double> predictions;  ///< shaped as in EvaluateRequest
  std::span<const double> weights;
  double threshold = 0.5;
};

/// Immutable: Compute is thread-safe. Copies what it needs of the input.
class MetricEngine {
 public:
  virtual ~MetricEngine() = default;
  /// Inputs that passed CheckClassification or CheckRegression.
  static std::unique_ptr<MetricEngine> Create(const EngineInput& input);

  /// In the order of Metrics().
  std::span<const std::string_view> names() const { return names_; }
  size_t row_count() const { return weights_.size(); }
  std::span<const double> weights() const { return weights_; }
  /// Weights in row order; `values` one per name (CHECK).
  void Compute(std::span<const double> weights, std::span<double> values) const;
  /// Of the rows' own weights.
  std::vector<double> Compute() const;

 protected:
  explicit MetricEngine(const EngineInput& input);
  /// Calls set(name, value) for every metric.
  class Sink {
   public:
    Sink(std::span<const std::string_view> names, std::span<double> values)
        : names_(names), values_(values) {}
    void operator()(std::string_view name, double value);

   private:
    std::span<const std::string_view> names_;
    std::span<double> values_;
    size_t expected_ = 0;
  };
  virtual void ComputeInto(std::span<const double> weights, Sink& set) const = 0;

 private:
  std::vector<std::string_view> names_;
  std::vector<double> weights_;
};

}  // namespace sluice::evaluate::internal
