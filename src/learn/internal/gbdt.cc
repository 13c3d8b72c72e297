#include "learn/internal/gbdt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "base/random.h"
#include "base/suggest.h"
#include "learn/internal/gradients.h"
#include "learn/internal/metrics.h"
#include "learn/internal/model_base.h"
#include "learn/internal/tree_ensemble.h"
#include "learn/internal/xgboost_library.h"

namespace sluice::learn::internal {
namespace {

using formats::Json;

// Sums of gradients are squared in floats by XGBoost; labels beyond would overflow them.
constexpr double kLargestLabel = 1e15;

class GbdtModel : public ModelBase {
 public:
  GbdtModel(ModelDescription description, std::vector<CurvePoint> curve, std::string ubj,
            TreeEnsemble trees)
      : ModelBase(std::move(description), std::move(curve)),
        ubj_(std::move(ubj)),
        trees_(std::move(trees)) {}

  Status PredictInto(const MatrixView& features, std::span<double> out,
                     int thread_count) const override {
    RETURN_IF_ERROR(CheckColumns(features));
    trees_.Predict(features, out, thread_count);
    return Ok();
  }

  std::vector<Importance> Importances() const override {
    std::vector<Importance> importances;
    for (size_t i = 0; i < feature_names().size(); ++i) {
      const TreeEnsemble::Usage& usage = trees_.usage()[i];
      importances.push_back(
          {.feature = feature_names()[i], .gain = usage.total_gain, .weight = usage.split_count});
    }
    return importances;
  }

  Status Save(io::Fs& fs, const std::string& folder) const override {
    RETURN_IF_ERROR(
        fs.WriteFileAtomic(io::JoinPath(folder, kTreesFile), ubj_, io::Durability::kFast));
    return WriteDescription(fs, folder, description().ToJson());
  }

 private:
  const std::string ubj_;
  const TreeEnsemble trees_;
};

Status CheckFeatures(const TrainRequest& request, const MatrixView& features) {
  for (int64_t row = 0; row < features.row_count; ++row) {
    std::span<const double> values = features.Row(row);
    for (size_t c = 0; c < values.size(); ++c) {
      if (std::abs(values[c]) > static_cast<double>(FLT_MAX)) {
        return InvalidArgument(fmt::format(
            "feature '{}': holds {}, beyond single precision, which XGBoost uses; clip, log or "
            "scale it",
            request.feature_names[c], values[c]));
      }
    }
  }
  return Ok();
}

Status CheckLabels(const LabelledView& data) {
  for (double label : data.labels) {
    if (std::abs(label) > kLargestLabel) {
      return InvalidArgument(fmt::format("the label holds {}; gbdt takes labels up to {}: scale it",
                                         label, kLargestLabel));
    }
  }
  return Ok();
}

Result<std::string> MonotoneConstraints(const TrainRequest& request, const Json& map) {
  std::vector<int> signs(request.feature_names.size(), 0);
  for (const auto& [name, sign] : map.AsObject()) {
    auto found = std::find(request.feature_names.begin(), request.feature_names.end(), name);
    if (found == request.feature_names.end()) {
      return InvalidArgument(fmt::format("monotone_constraints: there is no feature '{}'{}", name,
                                         DidYouMean(name, request.feature_names)));
    }
    signs[static_cast<size_t>(found - request.feature_names.begin())] =
        static_cast<int>(sign.AsDouble());
  }
  return fmt::format("({})", fmt::join(signs, ","));
}

/// Where training starts: the mean label, as a probability kept off 0 and 1; 0.5 for multiclass.
float BaseScore(const TrainRequest& request, std::span<const double> weights) {
  if (request.task == Task::kMulticlass) return 0.5f;
  double sum = 0, total = 0;
  for (size_t i = 0; i < request.train.labels.size(); ++i) {
    double weight = weights.empty() ? 1 : weights[i];
    sum += weight * request.train.labels[i];
    total += weight;
  }
  double mean = total > 0 ? sum / total : 0;
  return static_cast<float>(request.task == Task::kBinary ? std::clamp(mean, 1e-6, 1 - 1e-6)
                                                          : mean);
}

std::string_view Objective(Task task) {
  switch (task) {
    case Task::kBinary: return "binary:logistic";
    case Task::kMulticlass: return "multi:softprob";
    case Task::kRegression: break;
  }
  return "reg:squarederror";
}

Status Configure(const TrainRequest& request, const Json& params, float base_score,
                 XgboostBooster& booster) {
  auto set = [&](const char* name, const std::string& value) {
    return booster.SetParam(name, value);
  };
  RETURN_IF_ERROR(set("booster", "gbtree"));
  RETURN_IF_ERROR(set("tree_method", "hist"));
  RETURN_IF_ERROR(set("objective", std::string(Objective(request.task))));
  RETURN_IF_ERROR(set("disable_default_eval_metric", "1"));
  RETURN_IF_ERROR(set("verbosity", "0"));
  RETURN_IF_ERROR(set("nthread", fmt::format("{}", std::max(request.thread_count, 1))));
  RETURN_IF_ERROR(set("seed", fmt::format("{}", request.seed & 0x7FFF'FFFF)));
  RETURN_IF_ERROR(set("base_score", fmt::format("{}", base_score)));
  if (request.task == Task::kMulticlass)
    RETURN_IF_ERROR(set("num_class", fmt::format("{}", request.class_count)));
  // Our names are XGBoost's. subsample and weights act on the gradients, here.
  for (const char* name :
       {"learning_rate", "max_depth", "max_leaves", "grow_policy", "min_child_weight", "gamma",
        "max_delta_step", "colsample_bytree", "colsample_bylevel", "colsample_bynode", "reg_lambda",
        "reg_alpha", "max_bin"}) {
    const Json& value = params.At(name);
    RETURN_IF_ERROR(set(name, value.is_string() ? value.AsString() : formats::PrintJson(value)));
  }
  if (const Json& map = params.At("monotone_constraints"); !map.is_null() && map.size() > 0) {
    ASSIGN_OR_RETURN(std::string constraints, MonotoneConstraints(request, map));
    RETURN_IF_ERROR(set("monotone_constraints", constraints));
  }
  return Ok();
}

Result<std::vector<double>> RowWeights(const TrainRequest& request, const Json& params) {
  ASSIGN_OR_RETURN(std::vector<double> weights,
                   EffectiveWeights(request, params.At("class_weight")));
  double positive_weight = params.At("scale_pos_weight").AsDouble();
  if (positive_weight == 1) return weights;
  if (request.task != Task::kBinary) {
    return InvalidArgument(fmt::format("scale_pos_weight is for binary tasks, and this is {}",
                                       TaskName(request.task)));
  }
  if (weights.empty()) weights.assign(request.train.labels.size(), 1);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (request.train.labels[i] > 0.5) weights[i] *= positive_weight;
  }
  return weights;
}

/// One round after the other; owns what the rounds share.
class Rounds {
 public:
  Rounds(const TrainRequest& request, const Json& params, std::vector<double> weights,
         XgboostBooster& booster, const XgboostMatrix& train, const XgboostMatrix* validation)
      : request_(request),
        weights_(std::move(weights)),
        subsample_(params.At("subsample").AsDouble()),
        random_(request.seed, "gbdt.subsample"),
        booster_(booster),
        train_(train),
        validation_(validation) {}

  /// Trains until the rounds are over or somebody says stop.
  Status Run(int64_t round_count) {
    size_t size = request_.train.labels.size() * static_cast<size_t>(output_count());
    std::vector<float> gradients(size), hessians(size);
    std::optional<EarlyStopper> stopper;
    if (request_.early_stopping.has_value()) {
      ASSIGN_OR_RETURN(stopper, EarlyStopper::Make(*request_.early_stopping, request_.task));
    }
    ASSIGN_OR_RETURN(std::span<const float> margins, booster_.PredictMargins(train_));
    for (int64_t iteration = 1; iteration <= round_count; ++iteration) {
      DrawRows();
      ComputeGradients({.task = request_.task,
                        .class_count = request_.class_count,
                        .margins = margins,
                        .labels = request_.train.labels,
                        .weights = weights_,
                        .is_used = is_used_,
                        .thread_count = request_.thread_count},
                       gradients, hessians);
      RETURN_IF_ERROR(booster_.Boost(train_, static_cast<int>(iteration - 1), gradients, hessians,
                                     output_count()));
      NamedMetrics validation_metrics;
      if (validation_ != nullptr) {
        ASSIGN_OR_RETURN(std::span<const float> scores, booster_.PredictMargins(*validation_));
        validation_metrics = Measure(scores, *request_.validation);
      }
      ASSIGN_OR_RETURN(margins, booster_.PredictMargins(train_));
      curve_.push_back(
          MakeCurvePoint(iteration, Measure(margins, request_.train), validation_metrics));
      best_iteration_ = iteration;
      bool should_stop = false;
      if (stopper.has_value()) {
        for (const auto& [name, value] : validation_metrics) {
          if (name == stopper->metric()) should_stop = stopper->Add(value);
        }
        best_iteration_ = stopper->best_iteration();
      }
      if (request_.on_iteration && !request_.on_iteration(curve_.back())) should_stop = true;
      if (should_stop) break;
    }
    return Ok();
  }

  std::vector<CurvePoint>& curve() { return curve_; }
  int64_t best_iteration() const { return best_iteration_; }

 private:
  int64_t output_count() const {
    return request_.task == Task::kMulticlass ? request_.class_count : 1;
  }

  NamedMetrics Measure(std::span<const float> margins, const LabelledView& data) const {
    return ComputeMetrics({.task = request_.task,
                           .class_count = request_.class_count,
                           .margins = margins,
                           .labels = data.labels,
                           .weights = data.weights,
                           .thread_count = request_.thread_count});
  }

  void DrawRows() {
    if (subsample_ >= 1) return;
    is_used_.resize(request_.train.labels.size());
    for (uint8_t& used : is_used_) used = random_.NextDouble() < subsample_ ? 1 : 0;
  }

  const TrainRequest& request_;
  const std::vector<double> weights_;
  const double subsample_;
  Random random_;
  XgboostBooster& booster_;
  const XgboostMatrix& train_;
  const XgboostMatrix* validation_;
  std::vector<uint8_t> is_used_;
  std::vector<CurvePoint> curve_;
  int64_t best_iteration_ = 0;
};

Result<std::string> SaveRounds(const TrainRequest& request, XgboostBooster& booster,
                               const Rounds& rounds, size_t trained) {
  if (static_cast<size_t>(rounds.best_iteration()) == trained) {
    RETURN_IF_ERROR(booster.SetFeatureNames(request.feature_names));
    return booster.Save();
  }
  ASSIGN_OR_RETURN(XgboostBooster best, booster.Slice(static_cast<int>(rounds.best_iteration())));
  RETURN_IF_ERROR(best.SetFeatureNames(request.feature_names));
  return best.Save();
}

}  // namespace

Result<std::unique_ptr<Model>> TrainGbdt(const TrainRequest& request, const Json& params) {
  RETURN_IF_ERROR(CheckFeatures(request, request.train.features));
  RETURN_IF_ERROR(CheckLabels(request.train));
  if (request.validation.has_value())
    RETURN_IF_ERROR(CheckFeatures(request, request.validation->features));
  if (request.early_stopping.has_value())
    RETURN_IF_ERROR(EarlyStopper::Make(*request.early_stopping, request.task));
  ASSIGN_OR_RETURN(std::vector<double> weights, RowWeights(request, params));

  ASSIGN_OR_RETURN(Xgboost library, Xgboost::Open());
  ASSIGN_OR_RETURN(XgboostMatrix train,
                   library.MakeMatrix(request.train.features, request.thread_count));
  std::optional<XgboostMatrix> validation;
  std::vector<const XgboostMatrix*> matrices{&train};
  if (request.validation.has_value()) {
    ASSIGN_OR_RETURN(XgboostMatrix matrix,
                     library.MakeMatrix(request.validation->features, request.thread_count));
    matrices.push_back(&validation.emplace(std::move(matrix)));
  }
  ASSIGN_OR_RETURN(XgboostBooster booster, library.MakeBooster(matrices));
  RETURN_IF_ERROR(Configure(request, params, BaseScore(request, weights), booster));

  Rounds rounds(request, params, std::move(weights), booster, train,
                validation.has_value() ? &*validation : nullptr);
  RETURN_IF_ERROR(rounds.Run(params.At("n_estimators").AsInteger()));
  ASSIGN_OR_RETURN(std::string ubj, SaveRounds(request, booster, rounds, rounds.curve().size()));
  Result<TreeEnsemble> trees = TreeEnsemble::Parse(ubj);
  if (!trees.ok())
    return Internal("the model that XGBoost " + library.version() +
                    " wrote: " + trees.error().message());
  ModelDescription description{.learner = "gbdt",
                               .library = "xgboost " + library.version(),
                               .task = request.task,
                               .class_count = request.class_count,
                               .feature_names = request.feature_names,
                               .params = params,
                               .best_iteration = rounds.best_iteration()};
  return std::make_unique<GbdtModel>(std::move(description), std::move(rounds.curve()),
                                     std::move(ubj), std::move(trees).value());
}

Result<std::unique_ptr<Model>> LoadGbdt(io::Fs& fs, const std::string& folder, const Json& json) {
  ASSIGN_OR_RETURN(ModelDescription description, ModelDescription::FromJson(json));
  std::string path = io::JoinPath(folder, kTreesFile);
  ASSIGN_OR_RETURN(std::string ubj, fs.ReadFile(path, kMaxModelFileBytes));
  Result<TreeEnsemble> trees = TreeEnsemble::Parse(ubj);
  if (!trees.ok()) return std::move(trees).error().With(path);
  if (trees->task() != description.task || trees->class_count() != description.class_count ||
      trees->feature_count() != static_cast<int64_t>(description.feature_names.size())) {
    return DataLoss(fmt::format("{}: its task, classes or features are not those of {}", path,
                                kDescriptionFile));
  }
  return std::make_unique<GbdtModel>(std::move(description), std::vector<CurvePoint>(),
                                     std::move(ubj), std::move(trees).value());
}

}  // namespace sluice::learn::internal
