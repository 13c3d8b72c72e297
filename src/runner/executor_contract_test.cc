// What every executor must do, for each of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "io/testing/mem_fs.h"
#include "runner/executors.h"
#include "runner/testing/executor_contract.h"
#include "runner/testing/fake_executor.h"
#include "runner/testing/local_harness.h"

namespace sluice::runner {
namespace {

class ExecutorContract : public testing::TestWithParam<std::unique_ptr<ExecutorHarness> (*)()> {
 protected:
  using Behaviour = ExecutorHarness::Behaviour;

  ExecutorContract() : harness_(GetParam()()), executor_(harness_->Make()) {}

  /// Waits until `count` attempts have ended.
  std::vector<EndedAttempt> WaitFor(Executor& executor, size_t count) {
    std::vector<EndedAttempt> ended;
    for (int round = 0; round < 1000 && ended.size() < count; ++round) {
      EXPECT_TRUE(executor.Wait(10, -1).ok());
      Result<std::vector<EndedAttempt>> more = executor.Poll();
      EXPECT_TRUE(more.ok());
      ended.insert(ended.end(), more->begin(), more->end());
    }
    EXPECT_EQ(ended.size(), count);
    ended.resize(count);
    return ended;
  }

  std::unique_ptr<ExecutorHarness> harness_;
  std::unique_ptr<Executor> executor_;
};

TEST_P(ExecutorContract, ReportsSuccessOnce) {
  AttemptSpec spec = harness_->Spec(Behaviour::kSucceed);
  ASSERT_TRUE(executor_->Start(spec).ok());
  EndedAttempt ended = WaitFor(*executor_, 1)[0];
  EXPECT_EQ(ended.directory, spec.directory);
  EXPECT_TRUE(ended.record.ok()) << ended.record.ToString();
  EXPECT_GE(ended.record.end_ms, ended.record.start_ms);
  EXPECT_TRUE(executor_->Poll()->empty());
}

TEST_P(ExecutorContract, KeepsLogs) {
  AttemptSpec spec = harness_->Spec(Behaviour::kSucceed);
  ASSERT_TRUE(executor_->Start(spec).ok());
  WaitFor(*executor_, 1);
  EXPECT_EQ(*executor_->FetchLogs(spec.directory, LogStream::kStdout, 0, 100), "out");
  EXPECT_EQ(*executor_->FetchLogs(spec.directory, LogStream::kStderr, 0, 100), "err");
  EXPECT_EQ(*executor_->FetchLogs(spec.directory, LogStream::kStdout, 1, 1), "u");
  EXPECT_EQ(*executor_->FetchLogs(spec.directory, LogStream::kStdout, 3, 100), "");
}

TEST_P(ExecutorContract, ReportsFailure) {
  ASSERT_TRUE(executor_->Start(harness_->Spec(Behaviour::kFail)).ok());
  AttemptRecord record = WaitFor(*executor_, 1)[0].record;
  EXPECT_EQ(record.reason, EndReason::kExited);
  EXPECT_EQ(record.exit_code, 3);
}

TEST_P(ExecutorContract, ReportsAProgramThatCannotStart) {
  ASSERT_TRUE(executor_->Start(harness_->Spec(Behaviour::kCannotStart)).ok());
  AttemptRecord record = WaitFor(*executor_, 1)[0].record;
  EXPECT_EQ(record.reason, EndReason::kStartFailed);
  EXPECT_NE(record.message.find("not found"), std::string::npos) << record.message;
}

TEST_P(ExecutorContract, CancelsGracefullyAndHard) {
  for (CancelMode mode : {CancelMode::kGraceful, CancelMode::kKill}) {
    AttemptSpec spec = harness_->Spec(Behaviour::kRunUntilStopped);
    ASSERT_TRUE(executor_->Start(spec).ok());
    ASSERT_TRUE(executor_->Poll()->empty());
    ASSERT_TRUE(executor_->Cancel(spec.directory, mode).ok());
    EndReason reason = WaitFor(*executor_, 1)[0].record.reason;
    // Lost: the request came before the supervisor could listen.
    EXPECT_TRUE(reason == EndReason::kCancelled || reason == EndReason::kLost);
    EXPECT_EQ(executor_->Cancel(spec.directory, mode).error().code(), ErrorCode::kNotFound);
  }
}

TEST_P(ExecutorContract, RunsSeveralAtOnceAndReportsEach) {
  std::vector<std::string> started;
  for (int i = 0; i < 5; ++i) {
    AttemptSpec spec = harness_->Spec(i % 2 == 0 ? Behaviour::kSucceed : Behaviour::kFail);
    started.push_back(spec.directory);
    ASSERT_TRUE(executor_->Start(spec).ok());
  }
  std::vector<std::string> ended;
  for (const EndedAttempt& attempt : WaitFor(*executor_, 5)) ended.push_back(attempt.directory);
  std::sort(ended.begin(), ended.end());
  std::sort(started.begin(), started.end());
  EXPECT_EQ(ended, started);
}

TEST_P(ExecutorContract, AnotherExecutorTakesOver) {
  AttemptSpec done = harness_->Spec(Behaviour::kFail);
  ASSERT_TRUE(executor_->Start(done).ok());
  WaitFor(*executor_, 1);
  AttemptSpec running = harness_->Spec(Behaviour::kRunUntilStopped);
  ASSERT_TRUE(executor_->Start(running).ok());
  executor_.reset();

  std::unique_ptr<Executor> second = harness_->Make();
  EXPECT_EQ(*second->Attach(done.directory), AttachOutcome::kEnded);
  EXPECT_EQ(WaitFor(*second, 1)[0].record.exit_code, 3);
  EXPECT_EQ(*second->Attach(running.directory), AttachOutcome::kRunning);
  EXPECT_TRUE(second->Poll()->empty());
  ASSERT_TRUE(second->Cancel(running.directory, CancelMode::kKill).ok());
  EXPECT_EQ(WaitFor(*second, 1)[0].record.reason, EndReason::kCancelled);
}

TEST_P(ExecutorContract, AnAttemptThatNeverStartedIsLost) {
  AttemptSpec spec = harness_->Spec(Behaviour::kSucceed);
  EXPECT_EQ(*executor_->Attach(spec.directory), AttachOutcome::kLost);
  EXPECT_EQ(WaitFor(*executor_, 1)[0].record.reason, EndReason::kLost);
}

// The fake keeps the contract too.
class FakeHarness : public ExecutorHarness {
 public:
  FakeHarness() {
    world_->script["fail"] = {FakeOutcome::Exit(3)};
    world_->script["stay"] = {FakeOutcome()};
    world_->script["stay"][0].runs_until_cancelled = true;
    world_->script["absent"] = {FakeOutcome::End(EndReason::kStartFailed)};
    world_->script["absent"][0].record.message = "program 'absent' was not found in PATH ()";
    world_->script["succeed"] = {FakeOutcome()};
    world_->script["succeed"][0].stdout_text = "out";
    world_->script["succeed"][0].stderr_text = "err";
  }
  std::unique_ptr<Executor> Make() override {
    return std::make_unique<FakeExecutor>(fs_, clock_, world_);
  }
  AttemptSpec Spec(Behaviour behaviour) override {
    constexpr std::array<const char*, 4> kSteps = {"succeed", "fail", "stay", "absent"};
    AttemptSpec spec;
    spec.directory = fmt::format("/{}", ++count_);
    spec.step = kSteps[static_cast<size_t>(behaviour)];
    return spec;
  }

 private:
  io::MemFs fs_;
  ManualClock clock_;
  std::shared_ptr<FakeWorld> world_ = std::make_shared<FakeWorld>();
  int count_ = 0;
};
std::unique_ptr<ExecutorHarness> MakeFakeHarness() { return std::make_unique<FakeHarness>(); }
INSTANTIATE_TEST_SUITE_P(Fake, ExecutorContract, testing::Values(&MakeFakeHarness));

std::unique_ptr<ExecutorHarness> MakeLocalHarness() { return std::make_unique<LocalHarness>(); }
INSTANTIATE_TEST_SUITE_P(Local, ExecutorContract, testing::Values(&MakeLocalHarness));

TEST(ExecutorsTest, FindsByNameAndSuggests) {
  EXPECT_TRUE(MakeExecutor("local", io::RealFs(), {.attempt_program = "x"}).ok());
  Result<std::unique_ptr<Executor>> unknown = MakeExecutor("locl", io::RealFs(), {});
  EXPECT_EQ(unknown.error().message(), "there is no executor 'locl'; did you mean 'local'?");
}

}  // namespace
}  // namespace sluice::runner
