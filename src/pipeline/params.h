// From a pipeline's parameters and what a person gave on the command line to the values a step
// sees. Pure.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "pipeline/graph.h"

namespace sluice::pipeline {

/// Every parameter's value for one run, each of its param's type.
using ParamValues = std::map<std::string, formats::Json, std::less<>>;

/// Defaults, overridden by `given` ({"learning_rate", "0.1"}; the last one wins).
/// Errors: kInvalidArgument for an unknown name (with the nearest), a text that is not of the
/// param's type, a value out of bounds or not among the choices, and for a param without default
/// that was not given.
Result<ParamValues> ResolveParams(const Pipeline& pipeline,
                                  std::span<const std::pair<std::string, std::string>> given);

/// `value` with every ${params.NAME} and ${seed} in its strings filled in: a string that is one
/// whole reference takes the value with its type, otherwise the value's text is put in (numbers as
/// shortest text). Errors: kInvalidArgument for inputs or outputs references and unknown params.
Result<formats::Json> FillIn(const formats::Json& value, const ParamValues& values, int64_t seed);

/// The settings of a native step as its request carries them: an object with the kind's defaults,
/// references filled in, every value checked and normalised, in the order of the kind's rows. A
/// command's: an empty object. Errors: kInvalidArgument at the setting's place in the file, or at
/// the step's for what the kind's own check refuses.
Result<formats::Json> ResolveSettings(const Pipeline& pipeline, const Step& step,
                                      const ParamValues& values);

/// The text of a value inside a longer text: strings as they are, 0.1, 12, true.
std::string ValueText(const formats::Json& value);

/// What a command is started with.
struct StartedCommand {
  std::vector<std::string> argv;  ///< {"/bin/sh", "-c", line} for a shell line
  std::vector<std::pair<std::string, std::string>> env;  ///< the step's own `env`, filled in
};
/// The paths an attempt uses, by input or output name; a list holds one path per file.
using NamedPaths = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Fills in a command's words. A word that is one whole reference to an input or output with
/// several paths becomes several words; inside a longer word several paths are an error. In a shell
/// line every value is put in quoted for the shell ('...'), so that no value can become code.
/// Errors: kInvalidArgument for a name missing from the maps, several paths inside a longer word.
Result<StartedCommand> ExpandCommand(const Pipeline& pipeline, const Step& step,
                                     const ParamValues& values, const NamedPaths& inputs,
                                     const NamedPaths& outputs);

}  // namespace sluice::pipeline
