// keep: passes values on. Text cannot be kept (a learner takes numbers), which the graph reports;
// dates become days.
#include "features/internal/argument.h"
#include "features/internal/op.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

constexpr double kMicrosPerDay = 86'400e6;

class Keep : public Op {
 public:
  Status Apply(Block& block) const override {
    if (block.kind != ValueKind::kTime) return Ok();
    double* days = block.StartScratch(1);
    for (size_t i = 0; i < static_cast<size_t>(block.row_count); ++i) {
      days[i] = block.times[i] == kMissingTime
                    ? std::numeric_limits<double>::quiet_NaN()
                    : static_cast<double>(block.times[i]) / kMicrosPerDay;
    }
    block.AdoptScratch(1);
    return Ok();
  }
  void Advance(Signature& signature) const override { signature.kind = ValueKind::kNumbers; }
  Json ToJson() const override { return Json::MakeObject(); }
};

Status Check(const Json& argument) {
  if (argument.is_null()) return Ok();
  return InvalidArgument("keep takes no options, found " + Shown(argument));
}
OpResult Fit(const Block&, const FitContext&) { return std::make_unique<Keep>(); }
OpResult Load(const Json&, const Signature&) { return std::make_unique<Keep>(); }

}  // namespace

OpKind KeepKind() {
  return {
      .name = "keep",
      .takes_numbers = true,
      .takes_text = false,
      .takes_time = true,
      .help = {"keep", "numbers or dates", "keep",
               "The values as they are; `passthrough` is the same. Dates become days since 1970."},
      .check = Check,
      .fit = Fit,
      .load = Load};
}

}  // namespace sluice::features::internal
