// The options of `sluice server`: those of `mlflow server`, so that start scripts work unchanged,
// and a few of our own.
#pragma once

#include <string>
#include <vector>

#include "app/api_server.h"
#include "app/cli/command.h"
#include "base/result.h"

namespace sluice::app {

struct ServerSettings {
  ApiServerOptions server;
  std::string backend_uri;
  std::string registry_uri;        ///< empty: the same
  std::string access_log;          ///< a file, "-" for standard error, or empty: none
  std::vector<std::string> notes;  ///< what was accepted and has no effect, one sentence each
};

/// The rows of the command. Variables are read by ParseArguments.
std::vector<CliOption> ServerOptionRows();
/// Errors: kInvalidArgument naming the option.
Result<ServerSettings> ReadServerSettings(const Arguments& arguments);

}  // namespace sluice::app
