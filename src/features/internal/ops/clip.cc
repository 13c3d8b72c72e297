// clip: values below and above two limits become the limits.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "features/internal/argument.h"
#include "features/internal/op.h"
#include "features/internal/statistics.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

/// A limit as written: a share of the training values, a number, or none.
struct Limit {
  bool is_given = false;
  bool is_share = false;
  double value = 0;
};

struct Options {
  Limit lower, upper;
};

Result<Limit> ReadLimit(const Json* json, std::string_view what) {
  if (json == nullptr || json->is_null()) return Limit{};
  if (std::optional<double> share = Percent(*json))
    return Limit{.is_given = true, .is_share = true, .value = *share};
  if (!json->is_number()) {
    return InvalidArgument(
        fmt::format("{} is {}; it must be a number, or a share of the values such as '1%'", what,
                    Shown(*json)));
  }
  ASSIGN_OR_RETURN(double value, Number(*json, what));
  return Limit{.is_given = true, .is_share = false, .value = value};
}

// clip: [1%, 99%] | [0, 100] | {lower: 0, upper: 99%}
Result<Options> ReadOptions(const Json& argument) {
  const Json* lower = nullptr;
  const Json* upper = nullptr;
  if (argument.is_array() && argument.size() == 2) {
    lower = &argument.At(size_t{0});
    upper = &argument.At(size_t{1});
  } else if (argument.is_object()) {
    RETURN_IF_ERROR(CheckKeys(argument, {"lower", "upper"}));
    lower = argument.Find("lower");
    upper = argument.Find("upper");
  } else {
    return InvalidArgument(fmt::format(
        "clip needs two limits, as in [1%, 99%] or {{lower: 0}}, found {}", Shown(argument)));
  }
  Options options;
  ASSIGN_OR_RETURN(options.lower, ReadLimit(lower, "the lower limit"));
  ASSIGN_OR_RETURN(options.upper, ReadLimit(upper, "the upper limit"));
  if (!options.lower.is_given && !options.upper.is_given)
    return InvalidArgument("clip needs a lower or an upper limit");
  if (options.lower.is_given && options.upper.is_given &&
      options.lower.is_share == options.upper.is_share &&
      options.lower.value > options.upper.value) {
    return InvalidArgument("the lower limit is above the upper limit");
  }
  return options;
}

class Clip : public Op {
 public:
  /// No limit is the largest finite double of its sign.
  Clip(std::vector<double> lower, std::vector<double> upper)
      : lower_(std::move(lower)), upper_(std::move(upper)) {}

  Status Apply(Block& block) const override {
    for (size_t c = 0; c < lower_.size(); ++c) {
      double* values = block.Column(c);
      for (int64_t i = 0; i < block.row_count; ++i) {
        // Comparisons with NaN are false: missing values stay missing.
        if (values[i] < lower_[c]) values[i] = lower_[c];
        if (values[i] > upper_[c]) values[i] = upper_[c];
      }
    }
    return Ok();
  }
  void Advance(Signature&) const override {}
  Json ToJson() const override {
    return Json::MakeObject({{"lower", NumbersToJson(lower_)}, {"upper", NumbersToJson(upper_)}});
  }

 private:
  const std::vector<double> lower_, upper_;
};

double Resolve(const Limit& limit, const std::vector<double>& sorted, double none) {
  if (!limit.is_given) return none;
  if (!limit.is_share) return limit.value;
  return sorted.empty() ? none : SortedQuantile(sorted, limit.value);
}

Status Check(const Json& argument) {
  RETURN_IF_ERROR(ReadOptions(argument));
  return Ok();
}

OpResult Fit(const Block& block, const FitContext& context) {
  ASSIGN_OR_RETURN(Options options, ReadOptions(context.argument));
  constexpr double kNone = std::numeric_limits<double>::max();
  std::vector<double> lower, upper;
  for (size_t c = 0; c < block.width; ++c) {
    std::vector<double> sorted = Present({block.Column(c), static_cast<size_t>(block.row_count)});
    std::sort(sorted.begin(), sorted.end());
    lower.push_back(Resolve(options.lower, sorted, -kNone));
    upper.push_back(Resolve(options.upper, sorted, kNone));
    if (lower.back() > upper.back()) {
      return InvalidArgument(fmt::format("the lower limit {} is above the upper limit {}",
                                         lower.back(), upper.back()));
    }
  }
  return std::make_unique<Clip>(std::move(lower), std::move(upper));
}

OpResult Load(const Json& json, const Signature& signature) {
  ASSIGN_OR_RETURN(std::vector<double> lower, Numbers(json, "lower", signature.width()));
  ASSIGN_OR_RETURN(std::vector<double> upper, Numbers(json, "upper", signature.width()));
  return std::make_unique<Clip>(std::move(lower), std::move(upper));
}

}  // namespace

OpKind ClipKind() {
  return {
      .name = "clip",
      .takes_numbers = true,
      .takes_text = false,
      .takes_time = false,
      .help =
          {"clip", "numbers", "clip: [1%, 99%] | [0, 100] | {lower: 0, upper: 99%}",
           "Values beyond a limit become the limit. Percentages are quantiles of the training part "
           "(numpy's linear method)."},
      .check = Check,
      .fit = Fit,
      .load = Load};
}

}  // namespace sluice::features::internal
