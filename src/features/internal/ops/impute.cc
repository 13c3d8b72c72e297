// impute: what stands where a value is missing, as scikit-learn's SimpleImputer computes it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "features/internal/argument.h"
#include "features/internal/op.h"
#include "features/internal/statistics.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

struct Options {
  std::string strategy = "median";
  Json value;  ///< constant only
  bool adds_indicator = false;
};

// impute: median | {strategy: constant, value: 0, indicator: true} | {constant: 0} | 0
Result<Options> ReadOptions(const Json& argument) {
  Options options;
  if (argument.is_null()) {
    return InvalidArgument("impute needs a strategy: median, mean, mode or {constant: VALUE}");
  }
  if (argument.is_number()) {
    options.strategy = "constant";
    options.value = argument;
  } else if (argument.is_string()) {
    ASSIGN_OR_RETURN(options.strategy,
                     Choice(argument, "strategy", {"median", "mean", "mode", "most_frequent"}));
  } else {
    RETURN_IF_ERROR(CheckKeys(argument, {"strategy", "value", "constant", "indicator"}));
    if (const Json* strategy = argument.Find("strategy")) {
      ASSIGN_OR_RETURN(
          options.strategy,
          Choice(*strategy, "strategy", {"median", "mean", "mode", "most_frequent", "constant"}));
    }
    const Json* constant = argument.Find("constant");
    const Json* value = argument.Find("value");
    if (constant != nullptr) {
      options.strategy = "constant";
      value = constant;
    }
    if ((options.strategy == "constant") != (value != nullptr)) {
      return InvalidArgument("`value` belongs to the strategy `constant`, which needs it");
    }
    if (value != nullptr) options.value = *value;
    if (const Json* indicator = argument.Find("indicator")) {
      ASSIGN_OR_RETURN(options.adds_indicator, Boolean(*indicator, "indicator"));
    }
  }
  if (options.strategy == "most_frequent") options.strategy = "mode";
  if (options.strategy == "constant" && !options.value.is_string()) {
    RETURN_IF_ERROR(Number(options.value, "the constant"));
  }
  return options;
}

void AddIndicator(Block& block, auto is_missing) {
  size_t rows = static_cast<size_t>(block.row_count);
  block.extra.resize((block.extra_width + 1) * rows);
  double* out = block.extra.data() + block.extra_width * rows;
  for (size_t i = 0; i < rows; ++i) out[i] = is_missing(i) ? 1 : 0;
  ++block.extra_width;
}

class ImputeNumbers : public Op {
 public:
  ImputeNumbers(std::vector<double> fills, bool adds_indicator)
      : fills_(std::move(fills)), adds_indicator_(adds_indicator) {}

  Status Apply(Block& block) const override {
    for (size_t c = 0; c < fills_.size(); ++c) {
      double* values = block.Column(c);
      if (adds_indicator_) AddIndicator(block, [&](size_t i) { return std::isnan(values[i]); });
      for (int64_t i = 0; i < block.row_count; ++i) {
        if (std::isnan(values[i])) values[i] = fills_[c];
      }
    }
    return Ok();
  }
  void Advance(Signature& signature) const override {
    if (!adds_indicator_) return;
    for (const std::string& name : signature.names)
      signature.extra_names.push_back(name + "_missing");
  }
  Json ToJson() const override {
    return Json::MakeObject({{"fill", NumbersToJson(fills_)}, {"indicator", adds_indicator_}});
  }

 private:
  const std::vector<double> fills_;
  const bool adds_indicator_;
};

class ImputeText : public Op {
 public:
  ImputeText(std::string fill, bool adds_indicator)
      : fill_(std::move(fill)), adds_indicator_(adds_indicator) {}

  Status Apply(Block& block) const override {
    if (adds_indicator_)
      AddIndicator(block, [&](size_t i) { return block.texts[i].data() == nullptr; });
    for (std::string_view& text : block.texts) {
      if (text.data() == nullptr) text = fill_;
    }
    return Ok();
  }
  void Advance(Signature& signature) const override {
    if (adds_indicator_) signature.extra_names.push_back(signature.names[0] + "_missing");
  }
  Json ToJson() const override {
    return Json::MakeObject({{"fill", fill_}, {"indicator", adds_indicator_}});
  }

 private:
  const std::string fill_;
  const bool adds_indicator_;
};

Result<double> NumberFill(std::span<const double> column, const Options& options,
                          const FitContext& context) {
  if (options.strategy == "constant") {
    if (options.value.is_number()) return options.value.AsDouble();
    return InvalidArgument(
        fmt::format("the constant is {}, but the column has numbers", Shown(options.value)));
  }
  std::vector<double> present = Present(column);
  if (present.empty()) {
    context.warnings.push_back(
        fmt::format("column '{}': has no values in the training part, so that impute fills in 0; "
                    "consider dropping it",
                    context.signature.input));
    return 0.0;
  }
  if (options.strategy == "mean") {
    double mean = ComputeMoments(present).mean;
    if (!std::isfinite(mean))
      return InvalidArgument("the values are too large to sum; use median, or clip first");
    return mean;
  }
  std::sort(present.begin(), present.end());
  return options.strategy == "mode" ? SortedMode(present) : SortedQuantile(present, 0.5);
}

Result<std::string> TextFill(const Block& block, const Options& options,
                             const FitContext& context) {
  if (options.strategy == "constant") {
    return options.value.is_string() ? options.value.AsString()
                                     : NumberText(options.value.AsDouble());
  }
  if (options.strategy != "mode") {
    return InvalidArgument(
        fmt::format("{} needs numbers, but the column has text; use mode or {{constant: TEXT}}",
                    options.strategy));
  }
  std::map<std::string_view, int64_t> counts;
  for (std::string_view text : block.texts) {
    if (text.data() != nullptr) ++counts[text];
  }
  if (counts.empty()) {
    context.warnings.push_back(
        fmt::format("column '{}': has no values in the training part, so that impute fills in "
                    "'missing'; consider dropping it",
                    context.signature.input));
    return std::string("missing");
  }
  auto best = counts.begin();
  for (auto it = counts.begin(); it != counts.end(); ++it) {
    if (it->second > best->second) best = it;
  }
  return std::string(best->first);
}

Status Check(const Json& argument) {
  RETURN_IF_ERROR(ReadOptions(argument));
  return Ok();
}

OpResult Fit(const Block& block, const FitContext& context) {
  ASSIGN_OR_RETURN(Options options, ReadOptions(context.argument));
  if (block.kind == ValueKind::kText) {
    ASSIGN_OR_RETURN(std::string fill, TextFill(block, options, context));
    return std::make_unique<ImputeText>(std::move(fill), options.adds_indicator);
  }
  std::vector<double> fills;
  for (size_t c = 0; c < block.width; ++c) {
    ASSIGN_OR_RETURN(
        double fill,
        NumberFill({block.Column(c), static_cast<size_t>(block.row_count)}, options, context));
    fills.push_back(fill);
  }
  return std::make_unique<ImputeNumbers>(std::move(fills), options.adds_indicator);
}

OpResult Load(const Json& json, const Signature& signature) {
  ASSIGN_OR_RETURN(bool adds_indicator, json.GetBool("indicator"));
  if (signature.kind == ValueKind::kText) {
    ASSIGN_OR_RETURN(std::string fill, json.GetString("fill"));
    return std::make_unique<ImputeText>(std::move(fill), adds_indicator);
  }
  ASSIGN_OR_RETURN(std::vector<double> fills, Numbers(json, "fill", signature.width()));
  return std::make_unique<ImputeNumbers>(std::move(fills), adds_indicator);
}

}  // namespace

OpKind ImputeKind() {
  return {
      .name = "impute",
      .takes_numbers = true,
      .takes_text = true,
      .takes_time = false,
      .help =
          {"impute", "numbers or text",
           "impute: median | mean | mode | {constant: VALUE} | {strategy: median, indicator: true}",
           "Replaces missing values by what the training part had; `indicator` adds a column "
           "NAME_missing of "
           "0 and 1, which later operations leave alone. As SimpleImputer; mode takes the smallest "
           "of "
           "equally frequent values. Without any value in training numbers become 0, text "
           "'missing'."},
      .check = Check,
      .fit = Fit,
      .load = Load};
}

}  // namespace sluice::features::internal
