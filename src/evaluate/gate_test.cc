#include "evaluate/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace sluice::evaluate {
namespace {

using ::testing::HasSubstr;

Report MakeReport(double auc) {
  Report report;
  report.row_count = 5000;
  report.rows_digest = "same";
  report.metrics = {{"roc_auc", auc, Interval{auc - 0.01, auc + 0.01}},
                    {"log_loss", 0.4, Interval{0.38, 0.42}},
                    {"f1", NAN, std::nullopt}};
  auto group = [](std::string value, double slice_auc, bool is_small) {
    return SliceGroup{.value = std::move(value),
                      .row_count = is_small ? 20 : 900,
                      .is_small = is_small,
                      .metrics = {{"roc_auc", slice_auc, std::nullopt},
                                  {"log_loss", 1 - slice_auc, std::nullopt}}};
  };
  report.slices = {
      {"purpose", {group("car", auc - 0.05, false), group("small business", 0.2, true)}},
      {"age", {group("< 30", auc - 0.1, false), group(">= 30", auc + 0.02, false)}}};
  report.fairness = {{.name = "sex",
                      .groups = {},
                      .demographic_parity_ratio = 0.85,
                      .demographic_parity_difference = 0.05,
                      .equal_opportunity_difference = 0.03,
                      .equalized_odds_difference = 0.04,
                      .equalized_odds_ratio = 0.9}};
  report.importances = {{"income", 0.2, 0.01}, {"age", 0.05, 0.01}};
  return report;
}

RuleVerdict Judge(const std::string& rule, const GateInput& input) {
  Result<Verdict> verdict = EvaluateGate(std::vector<std::string>{rule}, input);
  if (!verdict.ok()) {
    ADD_FAILURE() << verdict.error().ToString();
    return {};
  }
  return verdict->rules[0];
}

class GateTest : public ::testing::Test {
 protected:
  const Report report_ = MakeReport(0.8);
  const Report champion_ = MakeReport(0.79);
  const Comparison comparison_{
      .rows_digest = "same",
      .differences = {{"roc_auc", 0.01, {0.002, 0.02}}, {"log_loss", 0.001, {-0.01, 0.012}}}};
  const GateInput alone_{.report = &report_};
  const GateInput against_{.report = &report_, .champion = &champion_, .comparison = &comparison_};
};

TEST_F(GateTest, Rules) {
  struct Case {
    const char* rule;
    Outcome outcome;
    double left;
    double right;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"roc_auc >= 0.78", Outcome::kPass, 0.8, 0.78},
           {"roc_auc > 0.8", Outcome::kFail, 0.8, 0.8},
           {"roc_auc >= 80%", Outcome::kPass, 0.8, 0.8},
           {"0.5 < roc_auc", Outcome::kPass, 0.5, 0.8},
           {"log_loss<=.41", Outcome::kPass, 0.4, 0.41},
           {"rows == 5000", Outcome::kPass, 5000, 5000},
           {"rows != 5e3", Outcome::kFail, 5000, 5000},
           {"roc_auc >= champion - 0.002", Outcome::kPass, 0.8, 0.788},
           {"roc_auc >= champion-0.002", Outcome::kPass, 0.8, 0.788},
           {"roc_auc >= champion + 2%", Outcome::kFail, 0.8, 0.81},
           {"log_loss <= champion * 1.01", Outcome::kPass, 0.4, 0.404},
           {"roc_auc >= champion.roc_auc * 0.99", Outcome::kPass, 0.8, 0.7821},
           {"roc_auc - champion.roc_auc >= -(1 - 0.9) / 2", Outcome::kPass, 0.01, -0.05},
           {"interval.low(roc_auc) > 0.75", Outcome::kPass, 0.79, 0.75},
           {"interval.high(log_loss) < champion.interval.low(log_loss)", Outcome::kFail, 0.42,
            0.38},
           {"slice.min(roc_auc) >= 0.70", Outcome::kPass, 0.7, 0.7},
           {"slice.min(roc_auc) >= champion", Outcome::kPass, 0.7, 0.69},
           {"slice(purpose).min(roc_auc) >= 0.70", Outcome::kPass, 0.75, 0.7},
           {"slice('age').max(log_loss) <= 0.2", Outcome::kFail, 0.3, 0.2},
           {"slice(purpose, \"small business\").roc_auc > 0.5", Outcome::kFail, 0.2, 0.5},
           {"slice.min(rows) >= 100", Outcome::kFail, 20, 100},
           {"slice(purpose, car).rows >= 100", Outcome::kPass, 900, 100},
           {"fairness(sex).selection_rate_ratio >= 0.8", Outcome::kPass, 0.85, 0.8},
           {"fairness.max(equalized_odds_difference) <= 0.03", Outcome::kFail, 0.04, 0.03},
           {"importance.max <= 0.5", Outcome::kPass, 0.2, 0.5},
           {"importance(age) < 0.01", Outcome::kFail, 0.05, 0.01},
           {"difference(roc_auc) > 0", Outcome::kPass, 0.01, 0},
           {"difference.low(roc_auc) > 0.005", Outcome::kFail, 0.002, 0.005},
           {"significantly_better(roc_auc)", Outcome::kPass, 0.01, 0},
           {"significantly_better(log_loss)", Outcome::kInconclusive, 0.001, 0},
           {"not_significantly_worse(log_loss)", Outcome::kPass, 0.001, 0},
       }) {
    RuleVerdict verdict = Judge(one.rule, against_);
    EXPECT_EQ(verdict.outcome, one.outcome) << one.rule << ": " << verdict.reason;
    ASSERT_TRUE(verdict.left && verdict.right) << one.rule << ": " << verdict.reason;
    EXPECT_NEAR(*verdict.left, one.left, 1e-12) << one.rule;
    EXPECT_NEAR(*verdict.right, one.right, 1e-12) << one.rule;
  }
}

TEST_F(GateTest, ReasonsSayWhatWasMeasured) {
  EXPECT_EQ(Judge("roc_auc >= 0.9", alone_).reason, "roc_auc is 0.8, not >= 0.9");
  EXPECT_EQ(Judge("roc_auc >= champion - 0.002", against_).reason,
            "roc_auc is 0.8, >= 0.788 (the champion has 0.79)");
  EXPECT_EQ(Judge("slice.min(roc_auc) >= 0.7", alone_).reason,
            "slice.min(roc_auc) is 0.7, >= 0.7 (least where age = < 30)");
  EXPECT_EQ(Judge("roc_auc >= 0.80000000001", alone_).reason,
            "roc_auc is 0.8, not >= 0.80000000001");
}

TEST_F(GateTest, MissingOrUndefinedFails) {
  for (auto [rule, reason] : std::initializer_list<std::pair<const char*, const char*>>{
           {"f1 >= 0.1", "f1 is nan"},
           {"f1 < 0.1", "f1 is nan"},
           {"rmse <= 10", "the report has no rmse: it is a binary report"},
           {"interval.low(f1) > 0", "no interval of f1"},
           {"slice(prupose).min(roc_auc) > 0", "did you mean 'purpose'?"},
           {"slice(purpose, boat).roc_auc > 0", "it has car, small business"},
           {"slice.min(rmse) > 0", "no rmse of slices"},
           {"fairness(age).selection_rate_ratio > 0", "no fairness measures of 'age'"},
           {"importance(agee) < 1", "did you mean 'age'?"},
           {"roc_auc / 0 > 0", "roc_auc / 0 is inf"},
       }) {
    RuleVerdict verdict = Judge(rule, alone_);
    EXPECT_EQ(verdict.outcome, Outcome::kFail) << rule;
    EXPECT_THAT(verdict.reason, HasSubstr(reason)) << rule;
  }
}

TEST_F(GateTest, NoChampionYetPasses) {
  for (const char* rule : {"roc_auc >= champion", "champion.roc_auc < roc_auc",
                           "significantly_better(roc_auc)", "difference.low(roc_auc) > 0"}) {
    RuleVerdict verdict = Judge(rule, alone_);
    EXPECT_EQ(verdict.outcome, Outcome::kPass) << rule;
    EXPECT_EQ(verdict.reason, "no champion yet");
  }
  // ... but a model whose own metric is undefined does not slip through.
  EXPECT_EQ(Judge("f1 >= champion", alone_).outcome, Outcome::kFail);
}

TEST_F(GateTest, WhatCannotBeComparedIsInconclusive) {
  Report other = MakeReport(0.7);
  other.rows_digest = "other";
  EXPECT_EQ(Judge("roc_auc >= champion", {.report = &report_, .champion = &other}).outcome,
            Outcome::kInconclusive);
  EXPECT_EQ(Judge("difference(roc_auc) > 0", {.report = &report_, .champion = &champion_}).outcome,
            Outcome::kInconclusive);
  Report small = MakeReport(0.7);
  for (SliceReport& slice : small.slices) {
    for (SliceGroup& group : slice.groups) group.is_small = true;
  }
  EXPECT_EQ(Judge("slice.min(roc_auc) > 0", {.report = &small}).outcome, Outcome::kInconclusive);
  Report bare = MakeReport(0.7);
  bare.slices.clear();
  EXPECT_EQ(Judge("slice.min(roc_auc) > 0", {.report = &bare}).outcome, Outcome::kFail);
}

TEST_F(GateTest, VerdictIsTheWorstRule) {
  auto outcome = [&](std::vector<std::string> rules) {
    return EvaluateGate(rules, against_)->outcome;
  };
  EXPECT_EQ(outcome({}), Outcome::kPass);
  EXPECT_EQ(outcome({"roc_auc > 0", "rows > 1"}), Outcome::kPass);
  EXPECT_EQ(outcome({"roc_auc > 0", "significantly_better(log_loss)"}), Outcome::kInconclusive);
  EXPECT_EQ(outcome({"significantly_better(log_loss)", "roc_auc > 1", "rows > 1"}), Outcome::kFail);
}

TEST_F(GateTest, JsonReadsBack) {
  std::vector<std::string> rules{"roc_auc >= 0.78", "f1 > 0", "significantly_better(log_loss)"};
  Verdict verdict = EvaluateGate(rules, against_).value();
  std::string printed = formats::PrintJson(VerdictToJson(verdict));
  EXPECT_EQ(VerdictFromJson(formats::ParseJson(printed).value()).value(), verdict);
}

TEST(RuleParseTest, ErrorsNameTheColumn) {
  struct Case {
    const char* rule;
    int column;
    const char* message;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"", 1, "the rule is empty"},
           {"   ", 1, "the rule is empty"},
           {"roc_auc", 8, "expected a comparison"},
           {"roc_auc = 0.8", 9, "write == to compare"},
           {"roc_auc >= ", 12, "expected a number or a measure; the rule ends here"},
           {"roc_acu >= 0.8", 1, "unknown metric 'roc_acu'; did you mean 'roc_auc'?"},
           {"0.8 <= interval.low(acuracy)", 21, "did you mean 'accuracy'?"},
           {"slices.min(f1) > 0", 1, "did you mean 'slice'?"},
           {"interval.mid(f1) > 0", 10, "expected low or high"},
           {"slice.avg(f1) > 0", 7, "expected min or max"},
           {"slice(purpose) > 0", 16, "expected '.' after 'slice'"},
           {"slice(purpose.min(f1) > 0", 14, "expected ')'"},
           {"slice(,).min(f1) > 0", 7, "expected the name of a slice"},
           {"fairness(sex).ratio > 0", 15, "unknown fairness measure 'ratio'"},
           {"champion >= 0.8", 1, "champion alone stands for the left side"},
           {"champion.champion >= 0.8", 10, "expected a measure after 'champion.'"},
           {"champion.difference(f1) > 0", 10, "already one to the champion"},
           {"0.1 <= f1 <= 0.9", 11, "a rule has one comparison"},
           {"f1 > 0.5 and rows > 3", 10, "unexpected 'and'"},
           {"1 > 0", 1, "measures nothing"},
           {"(f1 > 0.5)", 5, "expected ')'"},
           {"f1 > 0.5x", 6, "this is not a number"},
           {"f1 > 1e999", 6, "out of range"},
           {"slice(\"a).min(f1) > 0", 7, "never closed"},
           {"f1 > $x", 6, "unexpected character '$'"},
           {"significantly_better(f1) > 0", 26, "one comparison"},
           {"significantly_better f1", 22, "expected '('"},
           {"importance(age)", 16, "expected a comparison"},
       }) {
    Result<Rule> rule = Rule::Parse(one.rule);
    ASSERT_FALSE(rule.ok()) << one.rule;
    EXPECT_THAT(rule.error().message(), HasSubstr(one.message)) << one.rule;
    ASSERT_TRUE(rule.error().source().has_value()) << one.rule;
    EXPECT_EQ(rule.error().source()->column, one.column) << one.rule;
  }
}

TEST(RuleParseTest, LimitsAndPlaces) {
  EXPECT_EQ(Rule::Parse(std::string(2000, '1')).error().code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(Rule::Parse(std::string(40, '(') + "1").error().message(), HasSubstr("nested"));
  Source place{.file = "sluice.yaml", .line = 12, .column = 9, .text = "      - f2 > 0"};
  Result<Rule> rule = Rule::Parse("f2 > 0", place);
  EXPECT_THAT(rule.error().ToString(), HasSubstr("sluice.yaml:12:9: unknown metric 'f2'"));
  EXPECT_TRUE(Rule::Parse("f1 > champion")->needs_champion());
  EXPECT_FALSE(Rule::Parse("f1 > 0")->needs_champion());
}

}  // namespace
}  // namespace sluice::evaluate
