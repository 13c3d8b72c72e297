// kill -9 of the engine, of a supervisor and of a step at random moments: the next run completes,
// and its outputs are those of an undisturbed run. SLUICE_KILL_ROUNDS sets how often (default 12),
// SLUICE_KILL_SEED repeats one sequence.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/id.h"
#include "base/random.h"
#include "io/fs.h"
#include "io/subprocess.h"
#include "runner/attempt_record.h"
#include "runner/internal/process_table.h"
#include "runner/testing/attempt_program.h"

namespace sluice::runner {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

// `set -e` and `wait $!`: a process killed inside a step must make the step fail.
constexpr const char* kPipeline = R"(name: kill
steps:
  first:
    run: cat ${inputs.rows} > ${outputs.out}
    shell: true
    inputs: {rows: data/rows.txt}
    outputs: {out: out/first}
  slow:
    run: set -e; for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.02; done > ${outputs.out}; cat ${inputs.in} >> ${outputs.out}
    shell: true
    inputs: {in: first}
    outputs: {out: out/slow}
  folder:
    run: set -e; mkdir ${outputs.out}; for i in 1 2 3 4; do sleep 0.02; cp ${inputs.in} ${outputs.out}/$i; done
    shell: true
    inputs: {in: first}
    outputs: {out: out/folder}
  child:
    run: (set -e; sleep 0.05; cat ${inputs.in}) > ${outputs.out} & wait $!
    shell: true
    inputs: {in: first}
    outputs: {out: out/child}
  last:
    run: cat ${inputs.a} ${inputs.b}/* ${inputs.c} > ${outputs.out}
    shell: true
    inputs: {a: slow, b: folder, c: child}
    outputs: {out: out/last}
)";

class KillTest : public testing::Test {
 protected:
  KillTest()
      : folder_(std::filesystem::temp_directory_path() / ("sluice-kill-" + NewRandomHex(12))) {}
  ~KillTest() override { EXPECT_TRUE(io::RealFs().RemoveTree(folder_).ok()); }

  std::string Project(const std::string& name, const std::string& yaml = kPipeline) {
    std::string project = folder_ + "/" + name;
    EXPECT_TRUE(io::RealFs().MakeDirectories(project + "/data").ok());
    EXPECT_TRUE(
        io::RealFs().WriteFileAtomic(project + "/sluice.yaml", yaml, io::Durability::kFast).ok());
    EXPECT_TRUE(
        io::RealFs()
            .WriteFileAtomic(project + "/data/rows.txt", "1,2\n3,4\n", io::Durability::kFast)
            .ok());
    return project;
  }
  static io::SubprocessOptions Driver(const std::string& project) {
    io::SubprocessOptions options;
    options.argv = {io::DirName(FindAttemptProgram()) + "/sluice-runner-driver", project};
    options.env = io::CurrentEnv();
    options.stdout_to = io::OutputTarget::File(project + "/driver.log");
    options.stderr_to = io::OutputTarget::File(project + "/driver.err");
    return options;
  }
  static io::FinishedProcess RunToEnd(const std::string& project) {
    Result<io::FinishedProcess> finished = io::RunToEnd(Driver(project), seconds(120));
    EXPECT_TRUE(finished.ok()) << finished.error().message();
    return finished.ok() ? *finished : io::FinishedProcess();
  }
  /// "out/last" → content, for every file below out/.
  static std::map<std::string, std::string> Outputs(const std::string& project) {
    std::map<std::string, std::string> outputs;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(project + "/out")) {
      if (!entry.is_regular_file()) continue;
      outputs[entry.path().lexically_relative(project)] = *io::RealFs().ReadFile(entry.path());
    }
    return outputs;
  }
  static std::vector<std::string> OutputLines(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < text.size();) {
      size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      if (line.starts_with("output ")) lines.push_back(line);
      begin = end + 1;
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  /// Supervisors and steps of the project that are alive, and zombies of ours.
  static std::vector<ProcessInfo> Family(const std::string& project) {
    std::vector<ProcessInfo> family;
    for (const ProcessInfo& process : ListProcesses()) {
      Result<std::string> line =
          io::RealFs().ReadFile(fmt::format("/proc/{}/cmdline", process.pid), 1 << 16);
      Result<std::string> cwd = io::RealFs().ReadLink(fmt::format("/proc/{}/cwd", process.pid));
      bool is_supervisor = line.ok() && line->find("sluice-attempt") != std::string::npos &&
                           line->find(project) != std::string::npos;
      if (is_supervisor || (cwd.ok() && *cwd == project)) family.push_back(process);
    }
    return family;
  }

  const std::string folder_;
};

int64_t Setting(const char* name, int64_t fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoll(text) : fallback;
}

TEST_F(KillTest, AnyProcessAtAnyMoment) {
  std::string undisturbed = Project("undisturbed");
  io::FinishedProcess reference = RunToEnd(undisturbed);
  ASSERT_EQ(reference.status.exit_code, 0) << reference.stdout_text << reference.stderr_text;
  std::map<std::string, std::string> expected = Outputs(undisturbed);
  ASSERT_EQ(expected.size(), 8U);

  auto seed = static_cast<uint64_t>(Setting("SLUICE_KILL_SEED", static_cast<int64_t>(getpid())));
  SCOPED_TRACE(fmt::format("SLUICE_KILL_SEED={}", seed));
  Random random(seed);
  int64_t round_count = Setting("SLUICE_KILL_ROUNDS", 12);
  int killed_count = 0;
  for (int64_t round = 0; round < round_count; ++round) {
    std::string project = Project(fmt::format("round-{}", round));
    for (int kill_count = 0; kill_count < 2; ++kill_count) {
      Result<io::Subprocess> engine = io::Subprocess::Start(Driver(project));
      ASSERT_TRUE(engine.ok()) << engine.error().message();
      poll(nullptr, 0, static_cast<int>(random.NextBelow(250)));
      std::vector<ProcessInfo> family = Family(project);
      size_t choice = random.NextBelow(3);
      if (choice == 0 || family.empty()) {
        kill(engine->pid(), SIGKILL);
      } else {
        kill(family[random.NextBelow(family.size())].pid, SIGKILL);
        if (choice == 1) kill(engine->pid(), SIGKILL);
      }
      Result<io::ExitStatus> status = engine->Wait();
      ASSERT_TRUE(status.ok());
      killed_count += status->signal == SIGKILL ? 1 : 0;
    }
    io::FinishedProcess finished = RunToEnd(project);
    ASSERT_EQ(finished.status.exit_code, 0) << "round " << round << "\n"
                                            << finished.stdout_text << finished.stderr_text;
    EXPECT_EQ(Outputs(project), expected) << "round " << round;
    EXPECT_EQ(OutputLines(finished.stdout_text), OutputLines(reference.stdout_text));
    EXPECT_TRUE(Family(project).empty());
    io::FinishedProcess again = RunToEnd(project);
    EXPECT_THAT(again.stdout_text, Not(HasSubstr("start "))) << "round " << round;
  }
  EXPECT_GT(killed_count, 0);
}

TEST_F(KillTest, ARestartedEngineTakesOverWhatStillRuns) {
  std::string project = Project("attach", R"(name: attach
steps:
  long:
    run: echo started >> data/count; while ! test -e data/go; do sleep 0.01; done; echo done > ${outputs.out}
    shell: true
    outputs: {out: out/long}
)");
  Result<io::Subprocess> engine = io::Subprocess::Start(Driver(project));
  ASSERT_TRUE(engine.ok());
  for (int i = 0; i < 2000 && !std::filesystem::exists(project + "/data/count"); ++i)
    poll(nullptr, 0, 5);
  ASSERT_TRUE(engine->Signal(SIGKILL).ok());
  ASSERT_TRUE(engine->Wait().ok());
  EXPECT_FALSE(Family(project).empty());
  Result<io::Subprocess> second = io::Subprocess::Start(Driver(project));
  ASSERT_TRUE(second.ok());
  for (int i = 0; i < 2000; ++i) {
    Result<std::string> log = io::RealFs().ReadFile(project + "/driver.log");
    if (log.ok() && log->find("adopted") != std::string::npos) break;
    poll(nullptr, 0, 5);
  }
  ASSERT_TRUE(io::RealFs().WriteFileAtomic(project + "/data/go", "", io::Durability::kFast).ok());
  EXPECT_EQ(second->Wait()->exit_code, 0);
  EXPECT_EQ(*io::RealFs().ReadFile(project + "/data/count"), "started\n");
  EXPECT_EQ(*io::RealFs().ReadFile(project + "/out/long"), "done\n");
}

TEST_F(KillTest, CtrlCStopsChildrenAndASecondOneKills) {
  for (int press_count : {1, 2}) {
    std::string project = Project(fmt::format("ctrl-c-{}", press_count), R"(name: stop
steps:
  made: {run: cp data/rows.txt out/made, outputs: {out: out/made}}
  stubborn:
    run: trap '' TERM; touch data/up; while :; do sleep 0.01; done
    shell: true
    needs: made
)");
    Result<io::Subprocess> engine = io::Subprocess::Start(Driver(project));
    ASSERT_TRUE(engine.ok());
    for (int i = 0; i < 2000 && !std::filesystem::exists(project + "/data/up"); ++i)
      poll(nullptr, 0, 5);
    for (int i = 0; i < press_count; ++i) {
      ASSERT_TRUE(engine->Signal(SIGINT).ok());
      poll(nullptr, 0, 50);
    }
    EXPECT_EQ(engine->Wait()->exit_code, 130);
    EXPECT_TRUE(Family(project).empty());
    std::string log = *io::RealFs().ReadFile(project + "/driver.log");
    EXPECT_THAT(log, HasSubstr("step made succeeded"));
    EXPECT_THAT(log, HasSubstr("step stubborn cancelled"));
  }
}

TEST_F(KillTest, ASecondEngineIsRefusedByName) {
  std::string project = Project("locked", R"(name: locked
steps:
  wait: {run: 'touch data/up; sleep 1000', shell: true}
)");
  Result<io::Subprocess> engine = io::Subprocess::Start(Driver(project));
  ASSERT_TRUE(engine.ok());
  for (int i = 0; i < 2000 && !std::filesystem::exists(project + "/data/up"); ++i)
    poll(nullptr, 0, 5);
  io::FinishedProcess refused = RunToEnd(project);
  EXPECT_EQ(refused.status.exit_code, 2);
  EXPECT_THAT(refused.stderr_text, HasSubstr(fmt::format("(process {})", engine->pid())));
  ASSERT_TRUE(engine->Signal(SIGINT).ok());
  EXPECT_EQ(engine->Wait()->exit_code, 130);
}

}  // namespace
}  // namespace sluice::runner
