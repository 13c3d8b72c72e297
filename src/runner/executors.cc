#include "runner/executors.h"

#include <fmt/format.h>

#include <array>

#include "base/suggest.h"
#include "runner/internal/local_executor.h"

namespace sluice::runner {
namespace {

constexpr std::array<ExecutorRow, 1> kExecutors = {{
    {"local", "processes of this machine, each under its own supervisor",
     [](io::Fs& fs, const ExecutorOptions& options) -> std::unique_ptr<Executor> {
       return std::make_unique<LocalExecutor>(fs, options.attempt_program);
     }},
}};

}  // namespace

std::span<const ExecutorRow> Executors() { return kExecutors; }

Result<std::unique_ptr<Executor>> MakeExecutor(std::string_view name, io::Fs& fs,
                                               const ExecutorOptions& options) {
  std::vector<std::string> names;
  for (const ExecutorRow& row : kExecutors) {
    if (row.name == name) return row.make(fs, options);
    names.emplace_back(row.name);
  }
  return InvalidArgument(fmt::format("there is no executor '{}'{}", name, DidYouMean(name, names)));
}

}  // namespace sluice::runner
