#include "runner/internal/local_executor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "base/id.h"
#include "runner/internal/process_table.h"
#include "runner/testing/attempt_program.h"
#include "runner/testing/local_harness.h"

namespace sluice::runner {
namespace {

class LocalExecutorTest : public testing::Test {
 protected:
  EndedAttempt Run(const AttemptSpec& spec) {
    Status started = executor_.Start(spec);
    EXPECT_TRUE(started.ok()) << started.error().message();
    return WaitForEnd();
  }
  EndedAttempt WaitForEnd() {
    for (int round = 0; round < 3000; ++round) {
      EXPECT_TRUE(executor_.Wait(10, -1).ok());
      Result<std::vector<EndedAttempt>> ended = executor_.Poll();
      EXPECT_TRUE(ended.ok());
      if (!ended->empty()) return ended->front();
    }
    ADD_FAILURE() << "the attempt does not end";
    return {};
  }
  std::string ReadLog(const AttemptSpec& spec, LogStream stream = LogStream::kStdout) {
    Result<std::string> log = executor_.FetchLogs(spec.directory, stream, 0, 1 << 24);
    return log.ok() ? *log : log.error().message();
  }
  /// Waits for a file that the step writes.
  std::string WaitForFile(const std::string& path) {
    for (int round = 0; round < 2000; ++round) {
      Result<std::string> text = io::RealFs().ReadFile(path);
      if (text.ok() && !text->empty()) return *text;
      poll(nullptr, 0, 5);
    }
    ADD_FAILURE() << path << " does not appear";
    return "0";
  }
  static bool IsAlive(int pid) {
    std::optional<ProcessInfo> process = FindProcess(pid);
    return process && process->state != 'Z';
  }

  LocalHarness harness_;
  LocalExecutor executor_{io::RealFs(), FindAttemptProgram()};
};

// A daemon: forks twice, leaves the session, ignores every polite signal, clears its environment.
constexpr std::string_view kDaemon =
    "setsid env -i /bin/sh -c \"trap '' TERM INT HUP; echo \\$\\$ > daemon.pid; "
    "while :; do sleep 1000; done\" & while ! test -s daemon.pid; do :; done; ";

TEST_F(LocalExecutorTest, NothingOutlivesTheStep) {
  AttemptSpec spec = harness_.Shell(std::string(kDaemon) + "exit 0");
  EXPECT_TRUE(Run(spec).record.ok());
  EXPECT_FALSE(IsAlive(std::stoi(WaitForFile(spec.directory + "/daemon.pid"))));
}

TEST_F(LocalExecutorTest, TimeoutKillsGrandchildrenAndDaemons) {
  AttemptSpec spec =
      harness_.Shell(std::string(kDaemon) + "trap '' TERM; (sleep 1000) & wait; wait");
  spec.timeout_ms = 300;
  AttemptRecord record = Run(spec).record;
  EXPECT_EQ(record.reason, EndReason::kTimeout);
  EXPECT_EQ(record.signal, SIGKILL);
  EXPECT_GE(record.end_ms - record.start_ms, 300);
  EXPECT_FALSE(IsAlive(std::stoi(WaitForFile(spec.directory + "/daemon.pid"))));
}

TEST_F(LocalExecutorTest, AStepMayTidyUpWhenCancelled) {
  AttemptSpec spec =
      harness_.Shell("trap 'echo tidied; exit 0' TERM; echo up > up; while :; do sleep 0.01; done");
  spec.grace_ms = 20'000;
  ASSERT_TRUE(executor_.Start(spec).ok());
  WaitForFile(spec.directory + "/up");
  ASSERT_TRUE(executor_.Cancel(spec.directory, CancelMode::kGraceful).ok());
  AttemptRecord record = WaitForEnd().record;
  EXPECT_EQ(record.reason, EndReason::kCancelled);
  EXPECT_EQ(record.signal, 0);
  EXPECT_EQ(ReadLog(spec), "tidied\n");
}

TEST_F(LocalExecutorTest, KillingTheSupervisorKillsTheStepAndLosesTheAttempt) {
  AttemptSpec spec = harness_.Shell(
      std::string(kDaemon) + "(sleep 1000; true) & echo $! > child.pid; echo $$ > step.pid; wait");
  ASSERT_TRUE(executor_.Start(spec).ok());
  int step = std::stoi(WaitForFile(spec.directory + "/step.pid"));
  int child = std::stoi(WaitForFile(spec.directory + "/child.pid"));
  Result<SupervisorIdentity> identity = DecodeIdentity(WaitForFile(spec.directory + "/supervisor"));
  ASSERT_TRUE(identity.ok());
  ASSERT_EQ(kill(identity->pid, SIGKILL), 0);
  EXPECT_EQ(WaitForEnd().record.reason, EndReason::kLost);
  EXPECT_FALSE(IsAlive(step));
  EXPECT_FALSE(IsAlive(child));
}

TEST_F(LocalExecutorTest, ACrashIsASignal) {
  AttemptRecord record = Run(harness_.Shell("kill -SEGV $$")).record;
  EXPECT_EQ(record.reason, EndReason::kSignalled);
  EXPECT_EQ(record.signal, SIGSEGV);
}

TEST_F(LocalExecutorTest, HugeLogsKeepBeginningAndEnd) {
  AttemptSpec spec =
      harness_.Shell("echo begin; yes 0123456789 | head -c 20000000; echo; echo end");
  spec.max_log_bytes = 100'000;
  AttemptRecord record = Run(spec).record;
  EXPECT_TRUE(record.ok());
  EXPECT_EQ(record.stdout_bytes, 20'000'011);
  std::string log = ReadLog(spec);
  EXPECT_LT(log.size(), 100'200U);
  EXPECT_TRUE(log.starts_with("begin\n0123456789\n"));
  EXPECT_TRUE(log.ends_with("\nend\n"));
  std::string marker =
      fmt::format("[sluice: {} bytes of output are left out here]", record.stdout_dropped_bytes);
  EXPECT_NE(log.find(marker), std::string::npos);
  EXPECT_EQ(static_cast<int64_t>(log.size() - marker.size() - 2) + record.stdout_dropped_bytes,
            record.stdout_bytes);
}

TEST_F(LocalExecutorTest, SecretsReachTheStepAndNoFile) {
  setenv("RUNNER_TEST_SECRET", "hunter2-and-more", 1);
  AttemptSpec spec =
      harness_.Shell("test ${#RUNNER_TEST_SECRET} = 16 && echo \"[$RUNNER_TEST_SECRET]\"");
  spec.secret_names = {"RUNNER_TEST_SECRET", "RUNNER_TEST_ABSENT"};
  EXPECT_TRUE(Run(spec).record.ok());
  unsetenv("RUNNER_TEST_SECRET");
  EXPECT_EQ(ReadLog(spec), "[***]\n");
  for (const auto& file : std::filesystem::directory_iterator(spec.directory)) {
    Result<std::string> text = io::RealFs().ReadFile(file.path());
    ASSERT_TRUE(text.ok());
    EXPECT_EQ(text->find("hunter2"), std::string::npos) << file.path();
  }
}

TEST_F(LocalExecutorTest, PassesOddBytesInArgumentsAndEnvironment) {
  std::string odd = "\n\x01\xff 'x' \"$HOME\" end 0\n\n";
  AttemptSpec spec = harness_.Shell("printf '%s|%s' \"$1\" \"$ODD\"");
  spec.argv.insert(spec.argv.end(), {"sh", odd});
  spec.env.emplace_back("ODD", odd);
  EXPECT_TRUE(Run(spec).record.ok());
  EXPECT_EQ(ReadLog(spec), odd + "|" + odd);
}

TEST_F(LocalExecutorTest, ZombiesAndWaitersDoNotHoldTheEnd) {
  // Five hundred orphans that end at once.
  AttemptSpec spec = harness_.Shell("i=0; while [ $i -lt 500 ]; do (true &) ; i=$((i+1)); done");
  EXPECT_TRUE(Run(spec).record.ok());
}

TEST_F(LocalExecutorTest, ARecordFromAnEarlierBootIsNotTrusted) {
  AttemptSpec spec = harness_.Shell("true");
  EXPECT_TRUE(Run(spec).record.ok());
  std::string path = spec.directory + "/record.json";
  Result<AttemptRecord> record = ParseRecord(*io::RealFs().ReadFile(path));
  ASSERT_TRUE(record.ok());
  record->boot_id = "another";
  ASSERT_TRUE(io::RealFs().WriteFileAtomic(path, PrintRecord(*record), io::Durability::kFast).ok());
  EXPECT_EQ(*executor_.Attach(spec.directory), AttachOutcome::kLost);
}

TEST_F(LocalExecutorTest, TwoAttemptsDoNotShareAFolder) {
  AttemptSpec spec = harness_.Shell("sleep 1000");
  ASSERT_TRUE(executor_.Start(spec).ok());
  EXPECT_EQ(executor_.Start(spec).error().code(), ErrorCode::kAlreadyExists);
  ASSERT_TRUE(executor_.Cancel(spec.directory, CancelMode::kKill).ok());
  WaitForEnd();
}

}  // namespace
}  // namespace sluice::runner
