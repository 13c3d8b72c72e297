#include "learn/internal/tree_ensemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/thread_pool.h"
#include "learn/internal/ubjson.h"

namespace sluice::learn::internal {
namespace {

/// Rows evaluated together against one tree after the other, so that a tree stays in the cache.
constexpr size_t kBlockRows = 64;
/// Rows of a unit of parallel work.
constexpr size_t kPartRows = 4'096;
constexpr int64_t kMaxClasses = 100'000;
constexpr int64_t kMaxFeatures = 10'000'000;

// XGBoost's float arithmetic (src/common/math.h), operation for operation.

float Sigmoid(float x) {
  constexpr float kEpsilon = 1e-16f;
  x = std::min(-x, 88.7f);
  float denominator = std::exp(x) + 1.0f + kEpsilon;
  return 1.0f / denominator;
}

void Softmax(std::span<float> values) {
  float max = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (float& value : values) {
    value = std::exp(value - max);
    sum += value;
  }
  for (float& value : values) value /= static_cast<float>(sum);
}

/// base_score is stored as a probability for binary:logistic.
float Logit(float probability) { return -std::log(1.0f / probability - 1.0f); }

template <typename T>
bool ParseAs(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Result<int64_t> GetCount(const Ubj& object, std::string_view key, int64_t max) {
  ASSIGN_OR_RETURN(std::string_view text, object.GetText(key));
  int64_t value = 0;
  if (!ParseAs(text, value) || value < 0 || value > max) {
    return DataLoss(fmt::format("'{}' is '{}'; it must be a count of at most {}", key,
                                text.substr(0, 40), max));
  }
  return value;
}

/// "5E-1" (up to 3.0) or "[5E-1,1E0]" (from 3.1).
Result<std::vector<float>> GetBaseScores(const Ubj& param) {
  ASSIGN_OR_RETURN(std::string_view text, param.GetText("base_score"));
  std::string_view rest = text;
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  std::vector<float> scores;
  while (!rest.empty()) {
    size_t comma = std::min(rest.find(','), rest.size());
    std::string_view piece = rest.substr(0, comma);
    while (piece.starts_with(' ')) piece.remove_prefix(1);
    float score = 0;
    if (!ParseAs(piece, score) || !std::isfinite(score)) break;
    scores.push_back(score);
    rest = comma == rest.size() ? std::string_view() : rest.substr(comma + 1);
    if (rest.empty()) return scores;
  }
  return DataLoss(
      fmt::format("'base_score' is '{}'; it must be finite numbers", text.substr(0, 60)));
}

}  // namespace

Result<TreeEnsemble> TreeEnsemble::Parse(std::string_view bytes) {
  ASSIGN_OR_RETURN(Ubj file, Ubj::Parse(bytes));
  ASSIGN_OR_RETURN(const Ubj* learner, file.Get("learner"));
  ASSIGN_OR_RETURN(const Ubj* param, learner->Get("learner_model_param"));
  ASSIGN_OR_RETURN(const Ubj* objective, learner->Get("objective"));
  ASSIGN_OR_RETURN(std::string_view objective_name, objective->GetText("name"));
  ASSIGN_OR_RETURN(const Ubj* booster, learner->Get("gradient_booster"));
  ASSIGN_OR_RETURN(std::string_view booster_name, booster->GetText("name"));
  if (booster_name != "gbtree")
    return InvalidArgument(
        fmt::format("the booster '{}' is not gbtree", booster_name.substr(0, 40)));

  TreeEnsemble ensemble;
  ASSIGN_OR_RETURN(ensemble.feature_count_, GetCount(*param, "num_feature", kMaxFeatures));
  ASSIGN_OR_RETURN(int64_t class_count, GetCount(*param, "num_class", kMaxClasses));
  if (objective_name == "binary:logistic") {
    ensemble.task_ = Task::kBinary;
    ensemble.class_count_ = 2;
  } else if (objective_name == "multi:softprob") {
    ensemble.task_ = Task::kMulticlass;
    ensemble.class_count_ = class_count;
    if (class_count < 2) return DataLoss("'num_class' is below 2 for multi:softprob");
  } else if (objective_name != "reg:squarederror") {
    return InvalidArgument(fmt::format(
        "the objective '{}' is none of binary:logistic, multi:softprob, reg:squarederror",
        objective_name.substr(0, 40)));
  }
  ASSIGN_OR_RETURN(std::vector<float> scores, GetBaseScores(*param));
  size_t outputs = static_cast<size_t>(ensemble.outputs());
  if (scores.size() != 1 && scores.size() != outputs)
    return DataLoss("'base_score' does not have one value for each class");
  for (size_t i = 0; i < outputs; ++i) {
    float score = scores.size() == 1 ? scores[0] : scores[i];
    if (ensemble.task_ == Task::kBinary && !(score > 0 && score < 1))
      return DataLoss("'base_score' is no probability");
    ensemble.base_margins_.push_back(ensemble.task_ == Task::kBinary ? Logit(score) : score);
  }

  ASSIGN_OR_RETURN(const Ubj* model, booster->Get("model"));
  ASSIGN_OR_RETURN(const Ubj* trees, model->Get("trees"));
  ASSIGN_OR_RETURN(std::vector<int64_t> tree_info, model->GetIntegers("tree_info"));
  if (trees->items().size() != tree_info.size())
    return DataLoss("'trees' and 'tree_info' differ in length");
  ensemble.usage_.resize(static_cast<size_t>(ensemble.feature_count_));
  for (size_t i = 0; i < tree_info.size(); ++i) {
    if (tree_info[i] < 0 || tree_info[i] >= ensemble.outputs())
      return DataLoss("'tree_info' names a class that is not there");
    if (Status status = ensemble.AddTree(trees->items()[i]); !status.ok()) {
      return std::move(status).error().With(fmt::format("tree {}", i));
    }
    ensemble.tree_class_.push_back(static_cast<int32_t>(tree_info[i]));
  }
  return ensemble;
}

Status TreeEnsemble::AddTree(const Ubj& tree) {
  ASSIGN_OR_RETURN(std::vector<int64_t> left, tree.GetIntegers("left_children"));
  ASSIGN_OR_RETURN(std::vector<int64_t> right, tree.GetIntegers("right_children"));
  ASSIGN_OR_RETURN(std::vector<int64_t> features, tree.GetIntegers("split_indices"));
  ASSIGN_OR_RETURN(std::vector<int64_t> default_left, tree.GetIntegers("default_left"));
  ASSIGN_OR_RETURN(std::vector<float> values, tree.GetFloats("split_conditions"));
  ASSIGN_OR_RETURN(std::vector<float> gains, tree.GetFloats("loss_changes"));
  ASSIGN_OR_RETURN(std::vector<int64_t> split_types, tree.GetIntegers("split_type"));
  size_t count = left.size();
  if (count == 0 || right.size() != count || features.size() != count ||
      default_left.size() != count || values.size() != count || gains.size() != count ||
      split_types.size() != count) {
    return DataLoss("its arrays differ in length, or are empty");
  }
  if (nodes_.size() + count > static_cast<size_t>(INT32_MAX))
    return ResourceExhausted("more than 2^31 nodes");

  // Nodes are laid out again, breadth first, with siblings side by side. Each node may be reached
  // once only: a second time means a cycle or a shared branch.
  struct Pending {
    size_t source;
    size_t target;
  };
  std::vector<bool> is_seen(count, false);
  std::vector<Pending> pending{{0, nodes_.size()}};
  is_seen[0] = true;
  roots_.push_back(static_cast<int32_t>(nodes_.size()));
  nodes_.push_back({});
  for (size_t next = 0; next < pending.size(); ++next) {
    auto [source, target] = pending[next];
    if (left[source] == -1) {
      nodes_[target] = {values[source], 0, kLeaf};
      continue;
    }
    for (int64_t child : {left[source], right[source]}) {
      if (child < 0 || child >= static_cast<int64_t>(count) ||
          is_seen[static_cast<size_t>(child)]) {
        return DataLoss(fmt::format(
            "node {} has a child {} that is not there or has another parent", source, child));
      }
      is_seen[static_cast<size_t>(child)] = true;
    }
    if (features[source] < 0 || features[source] >= feature_count_) {
      return DataLoss(fmt::format("node {} splits on feature {} of {}", source, features[source],
                                  feature_count_));
    }
    if (split_types[source] != 0)
      return InvalidArgument(fmt::format("node {} is a categorical split", source));
    uint32_t feature = static_cast<uint32_t>(features[source]);
    usage_[feature].split_count += 1;
    usage_[feature].total_gain += static_cast<double>(gains[source]);
    nodes_[target] = {values[source], feature | (default_left[source] != 0 ? kDefaultLeft : 0),
                      static_cast<int32_t>(nodes_.size())};
    pending.push_back({static_cast<size_t>(left[source]), nodes_.size()});
    pending.push_back({static_cast<size_t>(right[source]), nodes_.size() + 1});
    nodes_.resize(nodes_.size() + 2);
  }
  return Ok();
}

void TreeEnsemble::PredictBlock(const float* features, size_t row_count, float* out) const {
  size_t width = static_cast<size_t>(feature_count_);
  size_t stride = static_cast<size_t>(outputs());
  for (size_t row = 0; row < row_count; ++row)
    std::copy(base_margins_.begin(), base_margins_.end(), out + row * stride);
  for (size_t tree = 0; tree < roots_.size(); ++tree) {
    int32_t root = roots_[tree];
    size_t output = static_cast<size_t>(tree_class_[tree]);
    for (size_t row = 0; row < row_count; ++row) {
      const float* values = features + row * width;
      const Node* node = &nodes_[static_cast<size_t>(root)];
      while (node->left != kLeaf) {
        float value = values[node->feature & ~kDefaultLeft];
        bool goes_left = value != value ? (node->feature & kDefaultLeft) != 0 : value < node->value;
        node = &nodes_[static_cast<size_t>(node->left) + (goes_left ? 0 : 1)];
      }
      out[row * stride + output] += node->value;
    }
  }
}

void TreeEnsemble::PredictMargins(const MatrixView& rows, std::span<float> out,
                                  int thread_count) const {
  CHECK(rows.column_count == feature_count_);
  CHECK(out.size() == static_cast<size_t>(rows.row_count * outputs()));
  size_t row_count = static_cast<size_t>(rows.row_count);
  size_t width = static_cast<size_t>(feature_count_);
  size_t stride = static_cast<size_t>(outputs());
  size_t part_count = (row_count + kPartRows - 1) / kPartRows;
  auto predict_part = [&](size_t part) {
    size_t first = part * kPartRows, end = std::min(row_count, first + kPartRows);
    std::vector<float> features(std::min(kBlockRows, end - first) * width);
    for (size_t at = first; at < end; at += kBlockRows) {
      size_t count = std::min(kBlockRows, end - at);
      const double* source = rows.values + at * width;
      for (size_t i = 0; i < count * width; ++i) features[i] = static_cast<float>(source[i]);
      PredictBlock(features.data(), count, out.data() + at * stride);
    }
  };
  if (part_count == 1) {
    predict_part(0);
  } else {
    ParallelFor(static_cast<size_t>(std::max(thread_count, 1)), part_count, predict_part);
  }
}

void TreeEnsemble::Predict(const MatrixView& rows, std::span<double> out, int thread_count) const {
  std::vector<float> margins(out.size());
  PredictMargins(rows, margins, thread_count);
  if (task_ == Task::kBinary) {
    for (float& margin : margins) margin = Sigmoid(margin);
  } else if (task_ == Task::kMulticlass) {
    size_t classes = static_cast<size_t>(class_count_);
    for (size_t at = 0; at < margins.size(); at += classes) Softmax({margins.data() + at, classes});
  }
  std::copy(margins.begin(), margins.end(), out.begin());
}

}  // namespace sluice::learn::internal
