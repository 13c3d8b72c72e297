// Boosted trees for prediction: XGBoost's model as flat arrays, evaluated with its arithmetic bit
// for bit, without its library.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "learn/learner.h"

namespace sluice::learn::internal {

/// Immutable: thread-safe.
class TreeEnsemble {
 public:
  /// `ubj` is a model as XGBoosterSaveModel writes it with the extension ubj (seen: 1.7 to 3.2),
  /// booster gbtree, objective binary:logistic, multi:softprob or reg:squarederror, numeric splits.
  /// Untrusted input: every index is checked, cycles are found. Errors: kDataLoss, kInvalidArgument
  /// for a model of another kind.
  static Result<TreeEnsemble> Parse(std::string_view ubj);

  Task task() const { return task_; }
  int64_t class_count() const { return class_count_; }
  int64_t feature_count() const { return feature_count_; }
  int64_t tree_count() const { return static_cast<int64_t>(roots_.size()); }

  /// Rows × max(1, classes of a multiclass model) scores before sigmoid and softmax. `rows` has
  /// feature_count() columns.
  void PredictMargins(const MatrixView& rows, std::span<float> out, int thread_count) const;
  /// PredictMargins, then sigmoid, softmax or nothing, as doubles.
  void Predict(const MatrixView& rows, std::span<double> out, int thread_count) const;

  /// Per feature: number of splits and summed loss reduction.
  struct Usage {
    double split_count = 0;
    double total_gain = 0;
  };
  const std::vector<Usage>& usage() const { return usage_; }

 private:
  struct Node {
    float value;       ///< threshold, or the leaf's value
    uint32_t feature;  ///< kDefaultLeft set if missing values go left
    int32_t left;      ///< index of the left child, the right one follows it; kLeaf for a leaf
  };
  static constexpr uint32_t kDefaultLeft = 0x8000'0000u;
  static constexpr int32_t kLeaf = -1;

  Status AddTree(const class Ubj& tree);
  void PredictBlock(const float* features, size_t row_count, float* out) const;
  int64_t outputs() const { return task_ == Task::kMulticlass ? class_count_ : 1; }

  Task task_ = Task::kRegression;
  int64_t class_count_ = 0;
  int64_t feature_count_ = 0;
  std::vector<float> base_margins_;  ///< one per output
  std::vector<Node> nodes_;
  std::vector<int32_t> roots_;       ///< one per tree
  std::vector<int32_t> tree_class_;  ///< output the tree adds to
  std::vector<Usage> usage_;
};

}  // namespace sluice::learn::internal
