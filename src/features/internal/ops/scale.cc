// scale: (x - center) / scale, as StandardScaler (ddof = 0), MinMaxScaler and RobustScaler compute
// it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "features/internal/argument.h"
#include "features/internal/op.h"
#include "features/internal/statistics.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

Result<std::string> ReadMethod(const Json& argument) {
  if (argument.is_null()) return std::string("standard");
  if (argument.is_object()) {
    RETURN_IF_ERROR(CheckKeys(argument, {"method"}));
    if (argument.Find("method") == nullptr) return std::string("standard");
    return Choice(argument.At("method"), "method", {"standard", "min_max", "robust"});
  }
  return Choice(argument, "method", {"standard", "min_max", "robust"});
}

/// Standard and robust: (x - offset) / factor. Min-max: x * factor + offset, scikit-learn's order
/// of operations.
class Scale : public Op {
 public:
  Scale(std::string method, std::vector<double> offsets, std::vector<double> factors)
      : method_(std::move(method)), offsets_(std::move(offsets)), factors_(std::move(factors)) {}

  Status Apply(Block& block) const override {
    bool is_min_max = method_ == "min_max";
    for (size_t c = 0; c < offsets_.size(); ++c) {
      double* values = block.Column(c);
      double offset = offsets_[c], factor = factors_[c];
      if (is_min_max) {
        for (int64_t i = 0; i < block.row_count; ++i) values[i] = values[i] * factor + offset;
      } else {
        for (int64_t i = 0; i < block.row_count; ++i) values[i] = (values[i] - offset) / factor;
      }
    }
    return Ok();
  }
  void Advance(Signature&) const override {}
  Json ToJson() const override {
    return Json::MakeObject({{"method", method_},
                             {"offset", NumbersToJson(offsets_)},
                             {"factor", NumbersToJson(factors_)}});
  }

 private:
  const std::string method_;
  const std::vector<double> offsets_, factors_;
};

struct Fitted {
  double offset = 0;
  double factor = 1;
};

Fitted FitStandard(const std::vector<double>& present) {
  Moments moments = ComputeMoments(present);
  double count = static_cast<double>(present.size());
  // scikit-learn's _is_constant_feature: a variance that rounding alone explains counts as none.
  double mean_error = count * moments.mean * kEpsilon;
  double bound = count * kEpsilon * moments.variance + mean_error * mean_error;
  bool is_constant = std::isfinite(moments.variance) && moments.variance <= bound;
  return {.offset = moments.mean, .factor = is_constant ? 1 : std::sqrt(moments.variance)};
}

Fitted FitMinMax(const std::vector<double>& present) {
  auto [low, high] = std::minmax_element(present.begin(), present.end());
  double range = *high - *low;
  double factor = 1 / (range < 10 * kEpsilon ? 1 : range);
  return {.offset = 0 - *low * factor, .factor = factor};
}

Fitted FitRobust(std::vector<double> present) {
  std::sort(present.begin(), present.end());
  double range = SortedQuantile(present, 0.75) - SortedQuantile(present, 0.25);
  return {.offset = SortedQuantile(present, 0.5), .factor = range < 10 * kEpsilon ? 1 : range};
}

Status Check(const Json& argument) {
  RETURN_IF_ERROR(ReadMethod(argument));
  return Ok();
}

OpResult Fit(const Block& block, const FitContext& context) {
  ASSIGN_OR_RETURN(std::string method, ReadMethod(context.argument));
  std::vector<double> offsets, factors;
  for (size_t c = 0; c < block.width; ++c) {
    std::vector<double> present = Present({block.Column(c), static_cast<size_t>(block.row_count)});
    Fitted fitted;
    if (!present.empty()) {
      fitted = method == "standard"  ? FitStandard(present)
               : method == "min_max" ? FitMinMax(present)
                                     : FitRobust(std::move(present));
    }
    if (!std::isfinite(fitted.offset) || !std::isfinite(fitted.factor)) {
      return InvalidArgument(
          "the values spread too far to be scaled in double precision; clip or log first");
    }
    offsets.push_back(fitted.offset);
    factors.push_back(fitted.factor);
  }
  return std::make_unique<Scale>(std::move(method), std::move(offsets), std::move(factors));
}

OpResult Load(const Json& json, const Signature& signature) {
  ASSIGN_OR_RETURN(std::string name, json.GetString("method"));
  ASSIGN_OR_RETURN(std::string method, ReadMethod(Json(name)));
  ASSIGN_OR_RETURN(std::vector<double> offsets, Numbers(json, "offset", signature.width()));
  ASSIGN_OR_RETURN(std::vector<double> factors, Numbers(json, "factor", signature.width()));
  for (double factor : factors) {
    if (factor == 0) return InvalidArgument("a scale of zero");
  }
  return std::make_unique<Scale>(std::move(method), std::move(offsets), std::move(factors));
}

}  // namespace

OpKind ScaleKind() {
  return {.name = "scale",
          .takes_numbers = true,
          .takes_text = false,
          .takes_time = false,
          .help = {"scale", "numbers", "scale: standard | min_max | robust",
                   "standard: mean 0, standard deviation 1 (ddof = 0); min_max: training range to "
                   "[0, 1]; robust: median "
                   "0, interquartile range 1. A constant column is only shifted. As "
                   "StandardScaler, MinMaxScaler, "
                   "RobustScaler."},
          .check = Check,
          .fit = Fit,
          .load = Load};
}

}  // namespace sluice::features::internal
