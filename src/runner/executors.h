// The executors there are, as a table.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/fs.h"
#include "runner/executor.h"

namespace sluice::runner {

struct ExecutorOptions {
  std::string attempt_program;  ///< absolute path of sluice-attempt
};

struct ExecutorRow {
  std::string_view name;  ///< as in `executor:` of an environment
  std::string_view help;
  std::unique_ptr<Executor> (*make)(io::Fs& fs, const ExecutorOptions& options);
};
std::span<const ExecutorRow> Executors();

/// `fs` must outlive it. Errors: kInvalidArgument for an unknown name, with the nearest.
Result<std::unique_ptr<Executor>> MakeExecutor(std::string_view name, io::Fs& fs,
                                               const ExecutorOptions& options);

}  // namespace sluice::runner
