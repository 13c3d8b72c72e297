// What a command of `sluice` is: a row with its options and a function. Parsing, help and the
// reference pages come from the rows.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::app {

/// "--name VALUE", "--name=VALUE" or "-n VALUE"; without `value`, a flag.
struct CliOption {
  std::string_view name;  ///< without dashes
  char short_name = '\0';
  std::string_view value;  ///< what the value is called in help ("FILE"); empty: a flag
  std::string_view help;
  bool is_repeatable = false;
  std::string_view default_value = {};  ///< shown in help, and returned by Get
  /// An environment variable that is read when the option is not given; empty: none. For a flag its
  /// value is true or false.
  std::string_view variable = {};
};

/// An argument without dashes.
struct CliPositional {
  std::string_view name;  ///< "STEP"
  std::string_view help;
  bool is_required = true;
  bool is_many = false;  ///< takes all that follow; only the last one
};

/// The command line of one command, taken apart. A plain value.
class Arguments {
 public:
  bool Has(std::string_view option) const;
  /// The value given last, else the option's default, else "".
  std::string Get(std::string_view option) const;
  std::optional<std::string> Find(std::string_view option) const;
  std::vector<std::string> GetAll(std::string_view option) const;
  /// Errors: kInvalidArgument unless the value is a whole number within the bounds; `fallback` if
  /// absent.
  Result<int64_t> GetInteger(std::string_view option, int64_t fallback, int64_t min,
                             int64_t max) const;
  const std::vector<std::string>& positionals() const { return positionals_; }
  /// The positional at `index`, or "".
  std::string Positional(size_t index) const;

 private:
  friend struct Command;
  friend Result<Arguments> ParseArguments(const struct Command&, std::span<const std::string>);
  Status AddVariables(const struct Command& command);
  std::multimap<std::string, std::string, std::less<>> options_;
  std::map<std::string, std::string, std::less<>> defaults_;
  std::vector<std::string> positionals_;
};

/// One verb. `run` returns the exit code; an error is printed and gives exit code 1 (2 for a wrong
/// command line).
struct Command {
  std::string_view name;     ///< "run", or "data infer" for a verb of two words
  std::string_view summary;  ///< one line
  std::string_view details;  ///< paragraphs for `--help` and the reference page
  std::vector<CliPositional> positionals;
  std::vector<CliOption> options;
  Result<int> (*run)(const Arguments& arguments);
  bool is_hidden = false;  ///< for the program itself, not for people
};

/// Every command, in the order of the help page. Defined in cli/commands.cc.
std::span<const Command> Commands();

/// Options that every command takes: --project DIR, --json, --quiet, --help.
std::span<const CliOption> GlobalOptions();

/// Reads the options' variables too. Errors: kInvalidArgument naming the option (with the nearest),
/// a missing value or positional.
Result<Arguments> ParseArguments(const Command& command, std::span<const std::string> words);

/// Finds the command, parses and runs it; prints errors and help. Returns the exit code: 0 well, 1
/// the work failed, 2 a wrong command line, 130 interrupted.
int RunCommandLine(std::span<const std::string> words);

/// What `sluice VERB --help` prints.
std::string PrintHelp(const Command& command);
/// The page docs/reference/cli.md.
std::string PrintCliReference();

// One function per verb's file.
Command MakeRunCommand();
Command MakePlanCommand();
Command MakeWhyCommand();
Command MakeStatusCommand();
Command MakeLogCommand();
Command MakePredictCommand();
Command MakeServeCommand();
Command MakeServerCommand();
Command MakeAuthCreateUserCommand();
Command MakeAuthResetPasswordCommand();
Command MakeAuthCreateTokenCommand();
Command MakeImportMlflowCommand();
Command MakeExportMlflowCommand();
Command MakeInitCommand();
Command MakeSchemaCommand();
Command MakeStepCommand();
Command MakeDataInferCommand();
Command MakeDataValidateCommand();
Command MakeDataProfileCommand();
Command MakeDataConvertCommand();
Command MakeModelsCommand();
Command MakeModelsUndoCommand();
Command MakeReportCommand();
Command MakeGcCommand();
Command MakeFsckCommand();
Command MakeVersionCommand();
Command MakeReferenceCommand();

}  // namespace sluice::app
