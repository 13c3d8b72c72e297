#include "app/terminal/step_table.h"

#include <gtest/gtest.h>

namespace sluice::app {
namespace {

TEST(StepTableTest, ShowsStateTimeAndProgress) {
  StepLine done{.name = "parts",
                .look = StepLook::kDone,
                .detail = "train 28,000",
                .start_ms = 1000,
                .end_ms = 1400};
  StepLine running{.name = "model",
                   .look = StepLook::kRunning,
                   .start_ms = 1000,
                   .done = 50,
                   .total = 100,
                   .unit = "rows",
                   .progress_since_ms = 1000};
  std::vector<std::string> lines = RenderStepTable({done, running}, 3000, {.width = 100});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "✓ parts done     400 ms        train 28,000");
  EXPECT_EQ(lines[1],
            "▶ model running  2.0 s         ██████████░░░░░░░░░░  50%  25 rows/s  2.0 s left");
}

TEST(StepTableTest, NeverWiderThanTheTerminal) {
  StepLine step{.name = std::string(80, 'x'),
                .look = StepLook::kFailed,
                .detail = std::string(300, 'y') + "\n\x1b[2J"};
  for (int width : {20, 40, 80}) {
    for (const std::string& line : RenderStepTable({step}, 0, {.width = width})) {
      EXPECT_LE(FitWidth(line, 1000), FitWidth(line, width)) << line;
      EXPECT_EQ(line.find('\n'), std::string::npos);
      EXPECT_EQ(line.find('\x1b'), std::string::npos);
    }
  }
}

TEST(StepTableTest, LongTablesKeepWhatRuns) {
  std::vector<StepLine> steps(100, StepLine{.name = "s", .look = StepLook::kDone});
  steps[90].look = StepLook::kRunning;
  steps[90].name = "busy";
  std::vector<std::string> lines = RenderStepTable(steps, 0, {.width = 80, .height = 10});
  EXPECT_LE(lines.size(), 9U);
  bool is_shown = false;
  for (const std::string& line : lines)
    is_shown = is_shown || line.find("busy") != std::string::npos;
  EXPECT_TRUE(is_shown);
}

TEST(PrintDurationTest, ChoosesTheUnit) {
  EXPECT_EQ(PrintDuration(0), "0 ms");
  EXPECT_EQ(PrintDuration(12'300), "12 s");
  EXPECT_EQ(PrintDuration(185'000), "3 min 05 s");
  EXPECT_EQ(PrintDuration(7'800'000), "2 h 10 min");
}

}  // namespace
}  // namespace sluice::app
