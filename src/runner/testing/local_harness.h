// Attempts as shell lines under a real sluice-attempt, in a scratch folder.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/id.h"
#include "io/fs.h"
#include "runner/internal/local_executor.h"
#include "runner/testing/attempt_program.h"
#include "runner/testing/executor_contract.h"

namespace sluice::runner {

class LocalHarness : public ExecutorHarness {
 public:
  LocalHarness()
      : folder_(std::filesystem::temp_directory_path() / ("sluice-attempts-" + NewRandomHex(12))) {}
  ~LocalHarness() override { EXPECT_TRUE(io::RealFs().RemoveTree(folder_).ok()); }

  std::unique_ptr<Executor> Make() override {
    return std::make_unique<LocalExecutor>(io::RealFs(), FindAttemptProgram());
  }

  AttemptSpec Spec(Behaviour behaviour) override {
    switch (behaviour) {
      case Behaviour::kSucceed: return Shell("printf out; printf err >&2");
      case Behaviour::kFail: return Shell("exit 3");
      case Behaviour::kRunUntilStopped: return Shell("sleep 1000");
      case Behaviour::kCannotStart: break;
    }
    AttemptSpec spec = Shell("");
    spec.argv = {"no-such-program"};
    return spec;
  }

  AttemptSpec Shell(std::string line) {
    AttemptSpec spec;
    spec.directory = fmt::format("{}/{}", folder_, ++count_);
    EXPECT_TRUE(io::RealFs().MakeDirectories(spec.directory).ok());
    spec.step = "step";
    spec.argv = {"/bin/sh", "-c", std::move(line)};
    spec.env = {{"PATH", "/usr/bin:/bin"}};
    spec.cwd = spec.directory;
    spec.grace_ms = 100;
    return spec;
  }

 private:
  const std::string folder_;
  int count_ = 0;
};

}  // namespace sluice::runner
