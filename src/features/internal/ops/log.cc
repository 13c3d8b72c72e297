// log: natural logarithm of 1 + x, with rules for negative values.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "features/internal/argument.h"
#include "features/internal/op.h"
#include "features/internal/statistics.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

struct Options {
  bool is_signed = false;
  bool is_shift_automatic = false;
  double shift = 0;
};

// log | log: {signed: true} | log: {shift: auto | NUMBER}
Result<Options> ReadOptions(const Json& argument) {
  Options options;
  if (argument.is_null()) return options;
  RETURN_IF_ERROR(CheckKeys(argument, {"signed", "shift"}));
  if (const Json* is_signed = argument.Find("signed")) {
    ASSIGN_OR_RETURN(options.is_signed, Boolean(*is_signed, "signed"));
  }
  if (const Json* shift = argument.Find("shift")) {
    if (options.is_signed) return InvalidArgument("`signed` and `shift` exclude each other");
    if (shift->is_string() && shift->AsString() == "auto") {
      options.is_shift_automatic = true;
    } else {
      ASSIGN_OR_RETURN(options.shift, Number(*shift, "shift (a number or auto)"));
    }
  }
  return options;
}

class Log : public Op {
 public:
  /// `lowest` is the smallest training value: what is below it later is taken as it.
  Log(bool is_signed, std::vector<double> shifts, std::vector<double> lowest)
      : is_signed_(is_signed), shifts_(std::move(shifts)), lowest_(std::move(lowest)) {}

  Status Apply(Block& block) const override {
    for (size_t c = 0; c < shifts_.size(); ++c) {
      double* values = block.Column(c);
      for (int64_t i = 0; i < block.row_count; ++i) {
        double value = values[i];
        if (is_signed_) {
          values[i] = std::copysign(std::log1p(std::abs(value)), value);
        } else {
          double shifted = value + shifts_[c];
          if (shifted <= -1 && value < lowest_[c]) shifted = lowest_[c] + shifts_[c];
          values[i] = std::log1p(shifted);
        }
      }
    }
    return Ok();
  }
  void Advance(Signature&) const override {}
  Json ToJson() const override {
    return Json::MakeObject({{"signed", is_signed_},
                             {"shift", NumbersToJson(shifts_)},
                             {"lowest", NumbersToJson(lowest_)}});
  }

 private:
  const bool is_signed_;
  const std::vector<double> shifts_, lowest_;
};

Status Check(const Json& argument) {
  RETURN_IF_ERROR(ReadOptions(argument));
  return Ok();
}

OpResult Fit(const Block& block, const FitContext& context) {
  ASSIGN_OR_RETURN(Options options, ReadOptions(context.argument));
  std::vector<double> shifts, lowest;
  for (size_t c = 0; c < block.width; ++c) {
    std::vector<double> present = Present({block.Column(c), static_cast<size_t>(block.row_count)});
    double smallest = present.empty() ? 0 : *std::min_element(present.begin(), present.end());
    double shift = options.is_shift_automatic ? (smallest < 0 ? -smallest : 0) : options.shift;
    if (!options.is_signed && !(smallest + shift > -1)) {
      return InvalidArgument(
          fmt::format("the smallest value is {}, and 1 + x must be positive; use {{signed: true}}, "
                      "{{shift: auto}}, or clip first",
                      NumberText(smallest)));
    }
    shifts.push_back(shift);
    lowest.push_back(smallest);
  }
  return std::make_unique<Log>(options.is_signed, std::move(shifts), std::move(lowest));
}

OpResult Load(const Json& json, const Signature& signature) {
  ASSIGN_OR_RETURN(bool is_signed, json.GetBool("signed"));
  ASSIGN_OR_RETURN(std::vector<double> shifts, Numbers(json, "shift", signature.width()));
  ASSIGN_OR_RETURN(std::vector<double> lowest, Numbers(json, "lowest", signature.width()));
  return std::make_unique<Log>(is_signed, std::move(shifts), std::move(lowest));
}

}  // namespace

OpKind LogKind() {
  return {.name = "log",
          .takes_numbers = true,
          .takes_text = false,
          .takes_time = false,
          .help = {"log", "numbers", "log | log: {signed: true} | log: {shift: auto}",
                   "log1p(x + shift), natural logarithm; `shift: auto` moves a negative training "
                   "minimum to 0. "
                   "signed: sign(x) * log1p(|x|). Training values of -1 and below (after the "
                   "shift) are an error; "
                   "later ones are taken as the smallest training value."},
          .check = Check,
          .fit = Fit,
          .load = Load};
}

}  // namespace sluice::features::internal
