// `sluice gc --backend-store-uri`: purging what was deleted in the database of a server.
#pragma once

#include <cstdint>
#include <string_view>

#include "app/cli/command.h"
#include "base/result.h"

namespace sluice::app {

/// The options of `mlflow gc`, under its names.
std::vector<CliOption> StoreGcOptionRows();
/// Was one of them given, so that a server's database is meant, not the project's objects?
bool WantsStoreGc(const Arguments& arguments);
/// Purges deleted runs, logged models and experiments with their artifacts. Exit code 0, also when
/// artifacts lie where nothing can be removed: those are named.
Result<int> RunStoreGc(const Arguments& arguments);

/// An age as `mlflow gc` takes it: numbers, with decimals if you like, each with d, h, m or s, in
/// that order, each once: "30d", "1.5d2h", "2m4s". Milliseconds. Pure. Errors: kInvalidArgument.
Result<int64_t> ParseAgeMs(std::string_view text);

}  // namespace sluice::app
