// What every model has: who made it, for which task, with which parameters; printed into
// learner.json.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "learn/learner.h"

namespace sluice::learn::internal {

/// The members that learner.json has for every learner:
///   {"version":1,"kind":"learner","learner":"gbdt","library":"xgboost 3.2.0","task":"binary","class_count":2,
///    "feature_names":[...],"params":{...},"best_iteration":57}
struct ModelDescription {
  std::string learner;
  std::string library;  ///< name and version of what trained it; "sluice" for our own
  Task task = Task::kRegression;
  int64_t class_count = 0;
  std::vector<std::string> feature_names;
  formats::Json params;
  int64_t best_iteration = 0;

  formats::Json ToJson() const;
  /// Untrusted input. Errors: kDataLoss, kInvalidArgument.
  static Result<ModelDescription> FromJson(const formats::Json& json);
};

class ModelBase : public Model {
 public:
  ModelBase(ModelDescription description, std::vector<CurvePoint> curve)
      : description_(std::move(description)), curve_(std::move(curve)) {}

  std::string_view learner() const override { return description_.learner; }
  Task task() const override { return description_.task; }
  int64_t class_count() const override { return description_.class_count; }
  const std::vector<std::string>& feature_names() const override {
    return description_.feature_names;
  }
  const formats::Json& params() const override { return description_.params; }
  const std::vector<CurvePoint>& curve() const override { return curve_; }
  int64_t best_iteration() const override { return description_.best_iteration; }

 protected:
  /// Errors: kInvalidArgument for another number of columns.
  Status CheckColumns(const MatrixView& features) const;
  const ModelDescription& description() const { return description_; }

 private:
  ModelDescription description_;
  std::vector<CurvePoint> curve_;
};

inline constexpr std::string_view kDescriptionFile = "learner.json";
inline constexpr std::string_view kTreesFile = "model.ubj";
/// Largest file of a model that is read.
inline constexpr int64_t kMaxModelFileBytes = int64_t{4} << 30;

Status WriteDescription(io::Fs& fs, const std::string& folder, const formats::Json& json);

/// Weights of the training rows: the given ones times class_weight ("balanced": rows / (classes ×
/// rows of the class), as scikit-learn; or a map from class names, or indices where there are no
/// names, others 1). Empty if all are 1. Errors: kInvalidArgument for a class that is not there, or
/// weights that leave nothing.
Result<std::vector<double>> EffectiveWeights(const TrainRequest& request,
                                             const formats::Json& class_weight);

}  // namespace sluice::learn::internal
