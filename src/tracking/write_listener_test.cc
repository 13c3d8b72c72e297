#include "tracking/write_listener.h"

#include <gtest/gtest.h>

#include "tracking/testing/engine_test.h"

namespace sluice::tracking {
namespace {

class Recorder : public WriteListener {
 public:
  bool wants_run_ends() const override { return wants; }
  bool wants_metrics() const override { return wants; }
  Status OnRunEnded(sql::Tx& /*tx*/, const RunInfo& run) override {
    told.push_back(run.run_id + " " + std::string(RunStatusName(run.status)));
    return refuses ? Status(Internal("refused")) : Ok();
  }
  Status OnMetrics(sql::Tx& /*tx*/, const RunInfo& run, std::span<const Metric> metrics) override {
    for (const Metric& metric : metrics) told.push_back(run.run_id + " " + metric.key);
    return refuses ? Status(Internal("refused")) : Ok();
  }

  bool wants = true;
  bool refuses = false;
  std::vector<std::string> told;
};

class WriteListenerTest : public EngineTest {
 protected:
  WriteListener* listener() override { return &recorder_; }
  Recorder recorder_;
};
TRACKING_ON_EVERY_ENGINE(WriteListenerTest);

using Told = std::vector<std::string>;

TEST_P(WriteListenerTest, HearsOfEndsAndMetricsAsTheyAreWritten) {
  MakeRun({.experiment_id = "0", .run_id = "r"});
  Log("r", {{{"a", 1, 0, 0}, {"b", 2, 0, 0}}, {}, {}});
  Log("r", {{}, {{"p", "v"}}, {{"t", "v"}}});
  ASSERT_TRUE(store_->UpdateRun("r", {.name = "renamed"}).ok());
  ASSERT_TRUE(store_->UpdateRun("r", {.status = RunStatus::kScheduled}).ok());
  ASSERT_TRUE(store_->UpdateRun("r", {.status = RunStatus::kFailed}).ok());
  ASSERT_TRUE(store_->UpdateRun("r", {.status = RunStatus::kFinished}).ok());
  EXPECT_EQ(recorder_.told, (Told{"r a", "r b", "r FAILED"})) << "an end is told once";
}

TEST_P(WriteListenerTest, IsNotAskedWhenItWantsNothing) {
  recorder_.wants = false;
  MakeRun({.experiment_id = "0", .run_id = "r"});
  Log("r", {{{"a", 1, 0, 0}}, {}, {}});
  ASSERT_TRUE(store_->UpdateRun("r", {.status = RunStatus::kFinished}).ok());
  EXPECT_EQ(recorder_.told, Told{});
}

TEST_P(WriteListenerTest, FailsTheWriteWithItself) {
  MakeRun({.experiment_id = "0", .run_id = "r"});
  recorder_.refuses = true;
  EXPECT_EQ(CodeOf(store_->LogBatch("r", {{{"a", 1, 0, 0}}, {}, {}})), ErrorCode::kInternal);
  EXPECT_EQ(CodeOf(store_->UpdateRun("r", {.status = RunStatus::kFinished})), ErrorCode::kInternal);
  tracking::Run run = store_->GetRun("r").value();
  EXPECT_TRUE(run.metrics.empty());
  EXPECT_EQ(run.info.status, RunStatus::kRunning);
}

}  // namespace
}  // namespace sluice::tracking
