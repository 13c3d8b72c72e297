// How a person says how a file is to be read: the settings of `ingest` and the options of the
// commands that read tables, both into table::ReadOptions.
#pragma once

#include <vector>

#include "app/cli/command.h"
#include "base/result.h"
#include "formats/json.h"
#include "table/read_options.h"

namespace sluice::app {

/// From the settings of an ingest step (step_kinds.cc has the list). Errors: kInvalidArgument
/// naming the setting.
Result<table::ReadOptions> ReadOptionsFromSettings(const formats::Json& settings);

/// --delimiter, --no-header, --names, --null, ...: for every command that reads a table.
std::vector<CliOption> ReadCliOptions();
/// Errors: kInvalidArgument naming the option.
Result<table::ReadOptions> ReadOptionsFromArguments(const Arguments& arguments);

}  // namespace sluice::app
