// What the contract suite (executor_contract_test.cc) needs to know of an executor. A new executor
// brings a harness and one line of instantiation there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include <memory>
#include <string>

#include "runner/executor.h"

namespace sluice::runner {

/// Makes executors and attempts for the suite.
class ExecutorHarness {
 public:
  enum class Behaviour {
    kSucceed,          ///< prints "out" to stdout and "err" to stderr, exit code 0
    kFail,             ///< exit code 3
    kRunUntilStopped,  ///< ends only when told to
    kCannotStart,      ///< no such program
  };
  virtual ~ExecutorHarness() = default;
  /// Another executor object that sees the same attempts.
  virtual std::unique_ptr<Executor> Make() = 0;
  /// A new attempt in a folder of its own.
  virtual AttemptSpec Spec(Behaviour behaviour) = 0;
};

}  // namespace sluice::runner
