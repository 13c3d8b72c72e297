#include "io/subprocess.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "io/fs.h"

namespace sluice::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SubprocessOptions Shell(std::string line) {
  SubprocessOptions options;
  options.argv = {"/bin/sh", "-c", std::move(line)};
  options.env = {{"PATH", "/usr/bin:/bin"}};
  return options;
}

FinishedProcess RunShell(std::string line) {
  Result<FinishedProcess> finished = RunToEnd(Shell(std::move(line)), seconds(20));
  return finished.ok() ? *finished
                       : FinishedProcess{{.exit_code = -1}, "", finished.error().message()};
}

TEST(SubprocessTest, ReportsExitCodeAndOutput) {
  FinishedProcess finished = RunShell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(finished.status.exit_code, 3);
  EXPECT_EQ(finished.stdout_text, "out\n");
  EXPECT_EQ(finished.stderr_text, "err\n");
  EXPECT_EQ(finished.status.ToString(), "exit code 3");
}

TEST(SubprocessTest, ReportsTheSignal) {
  FinishedProcess finished = RunShell("kill -9 $$");
  EXPECT_EQ(finished.status.signal, SIGKILL);
  EXPECT_EQ(finished.status.ToString(), "signal 9 (Killed)");
}

TEST(SubprocessTest, GivesExactlyTheEnvironment) {
  SubprocessOptions options;
  options.argv = {"/usr/bin/env"};
  options.env = {{"B", "first"}, {"A", "with = and\nline"}, {"B", "last"}};
  Result<FinishedProcess> finished = RunToEnd(options, seconds(20));
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->stdout_text, "A=with = and\nline\nB=last\n");
}

TEST(SubprocessTest, PassesOddBytesUnchanged) {
  std::string odd;
  for (int byte = 1; byte < 256; ++byte) odd.push_back(static_cast<char>(byte));
  SubprocessOptions options = Shell("printf %s \"$1\"; printf %s \"$2\" >&2");
  options.argv.insert(options.argv.end(), {"sh", odd, "$(echo no) `no` ; * '\""});
  Result<FinishedProcess> finished = RunToEnd(options, seconds(20));
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->stdout_text, odd);
  EXPECT_EQ(finished->stderr_text, "$(echo no) `no` ; * '\"");
}

TEST(SubprocessTest, StandardInputIsEmptyAndNoDescriptorLeaks) {
  int leaked = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  FinishedProcess finished = RunShell("cat; ls /proc/self/fd | tr '\\n' ' '");
  close(leaked);
  EXPECT_EQ(finished.stdout_text, "0 1 2 3 ");  // 3 is ls reading the folder
}

TEST(SubprocessTest, PassesNamedDescriptors) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  SubprocessOptions options = Shell("echo hello >&3");
  options.passed_fds = {ends[1]};
  Result<FinishedProcess> finished = RunToEnd(options, seconds(20));
  ASSERT_TRUE(finished.ok());
  char buffer[16] = {};
  EXPECT_EQ(read(ends[0], buffer, sizeof buffer), 6);
  EXPECT_STREQ(buffer, "hello\n");
  close(ends[0]);
  close(ends[1]);
}

TEST(SubprocessTest, NamesThePathWhenTheProgramIsMissing) {
  SubprocessOptions options;
  options.argv = {"no-such-program"};
  options.env = {{"PATH", "/usr/bin:/bin"}};
  Result<Subprocess> child = Subprocess::Start(options);
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(child.error().message(),
            "program 'no-such-program' was not found in PATH (/usr/bin:/bin)");
}

TEST(SubprocessTest, SearchesTheChildsPathFromTheChildsFolder) {
  std::string folder =
      std::filesystem::temp_directory_path() / ("subprocess-" + std::to_string(getpid()));
  ASSERT_TRUE(RealFs().MakeDirectories(folder + "/tools").ok());
  std::string script = folder + "/tools/mine";
  ASSERT_TRUE(RealFs().WriteFileAtomic(script, "#!/bin/sh\necho mine\n", Durability::kFast).ok());
  SubprocessOptions options;
  options.argv = {"mine"};
  options.env = {{"PATH", "tools:/bin"}};
  options.cwd = folder;
  Result<FinishedProcess> refused = RunToEnd(options, seconds(20));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kPermissionDenied);
  ASSERT_TRUE(RealFs().SetMode(script, 0755).ok());
  Result<FinishedProcess> finished = RunToEnd(options, seconds(20));
  ASSERT_TRUE(finished.ok()) << finished.error().message();
  EXPECT_EQ(finished->stdout_text, "mine\n");
  ASSERT_TRUE(RealFs().WriteFileAtomic(script, "echo mine\n", Durability::kFast).ok());
  ASSERT_TRUE(RealFs().SetMode(script, 0755).ok());
  Result<FinishedProcess> no_program = RunToEnd(options, seconds(20));
  ASSERT_FALSE(no_program.ok());
  EXPECT_NE(no_program.error().message().find("#!/bin/sh"), std::string::npos);
  options.cwd = folder + "/absent";
  options.argv = {"/bin/true"};
  Result<FinishedProcess> no_folder = RunToEnd(options, seconds(20));
  ASSERT_FALSE(no_folder.ok());
  EXPECT_EQ(no_folder.error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(RealFs().RemoveTree(folder).ok());
}

TEST(SubprocessTest, RefusesWhatNoProgramCanBeGiven) {
  EXPECT_FALSE(Subprocess::Start({}).ok());
  SubprocessOptions options = Shell("true");
  options.env = {{"A=B", "c"}};
  EXPECT_EQ(Subprocess::Start(options).error().code(), ErrorCode::kInvalidArgument);
  options.env = {};
  options.argv.push_back(std::string("a\0b", 3));
  EXPECT_EQ(Subprocess::Start(options).error().code(), ErrorCode::kInvalidArgument);
}

TEST(SubprocessTest, LimitsHold) {
  SubprocessOptions options = Shell("ulimit -v; ulimit -n; ulimit -c; ulimit -t");
  options.limits = {.address_space_bytes = int64_t{512} << 20, .cpu_s = 7, .open_file_count = 64};
  Result<FinishedProcess> finished = RunToEnd(options, seconds(20));
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->stdout_text, "524288\n64\n0\n7\n");
}

TEST(SubprocessTest, StopsTheWholeGroup) {
  // The shell waits for a grandchild that ignores SIGTERM; the pipe closes only when all are gone.
  SubprocessOptions options =
      Shell("trap '' TERM; (trap '' TERM; echo up; sleep 1000) & wait; wait");
  options.stdout_to = OutputTarget::Pipe();
  Result<Subprocess> child = Subprocess::Start(options);
  ASSERT_TRUE(child.ok());
  fcntl(child->stdout_fd(), F_SETFL, 0);
  char buffer[8];
  ASSERT_EQ(read(child->stdout_fd(), buffer, sizeof buffer), 3);
  Result<ExitStatus> status = child->StopGroup(milliseconds(50));
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->signal, SIGKILL);
  EXPECT_EQ(read(child->stdout_fd(), buffer, sizeof buffer), 0);
}

TEST(SubprocessTest, TimeoutKillsAndTruncationDrops) {
  Result<FinishedProcess> finished = RunToEnd(Shell("yes"), milliseconds(100), 1000);
  ASSERT_TRUE(finished.ok());
  EXPECT_TRUE(finished->is_timed_out);
  EXPECT_TRUE(finished->is_truncated);
  EXPECT_EQ(finished->stdout_text.size(), 1000U);
}

TEST(SubprocessTest, DestroyingKillsAndReaps) {
  int pid = -1;
  {
    Result<Subprocess> child = Subprocess::Start(Shell("sleep 1000"));
    ASSERT_TRUE(child.ok());
    pid = child->pid();
    EXPECT_FALSE(child->TryWait()->has_value());
  }
  EXPECT_NE(kill(pid, 0), 0);
  EXPECT_EQ(errno, ESRCH);
}

}  // namespace
}  // namespace sluice::io
