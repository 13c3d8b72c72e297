// Rule::Parse takes any bytes; what it accepts must evaluate, and mean the same when parsed again.
#include "evaluate/gate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::evaluate;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto rule = Rule::Parse(text);
  if (!rule.ok()) {
    CHECK(!rule.error().ToString().empty());
    return 0;
  }
  Report report;
  report.row_count = 10;
  report.metrics = {{"roc_auc", 0.75, Interval{0.7, 0.8}}, {"log_loss", 0.5, std::nullopt}};
  report.slices = {{"sex", {{.value = "a", .row_count = 5, .metrics = report.metrics}}}};
  report.fairness = {{.name = "sex", .groups = {}}};
  report.importances = {{"age", 0.1, 0.01}};
  Comparison comparison{.rows_digest = "", .differences = {{"roc_auc", 0.1, {0.05, 0.15}}}};
  GateInput inputs[] = {{&report, nullptr, nullptr}, {&report, &report, &comparison}};
  for (const GateInput& input : inputs) {
    Verdict verdict = EvaluateGate(std::span(&*rule, 1), input);
    CHECK(verdict.rules.size() == 1 && !verdict.rules[0].reason.empty());
    auto again = EvaluateGate(std::span(&verdict.rules[0].text, 1), input);
    CHECK(again.ok());
    CHECK_MSG(*again == verdict, verdict.rules[0].text);
    auto read = VerdictFromJson(VerdictToJson(verdict));
    CHECK(read.ok());
    CHECK(*read == verdict);
  }
  return 0;
}
