// From a planned step to an attempt that an executor can start.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "pipeline/plan.h"
#include "runner/executor.h"
#include "runner/internal/step_io.h"
#include "runner/observer.h"
#include "runner/run.h"

namespace sluice::runner {

/// Where each input of a step is, relative to the project.
/// `outputs_of` gives the stored outputs of a cached or finished step, by index. Errors: those of
/// CheckOut, with the producer's index in `bad_producer`.
using OutputsOf = std::function<const std::vector<StepOutput>&(int step)>;
struct InputPaths {
  pipeline::NamedPaths paths;
  int bad_producer = -1;  ///< the step whose output could not be checked out
};
Status FindInputs(const pipeline::Pipeline& pipeline, const pipeline::Step& step,
                  const SourcesByPattern& sources, StepIo& step_io, const OutputsOf& outputs_of,
                  InputPaths& found);

/// Makes the attempt's folder with its files (request.json, params.json, out/) and says what to
/// start. Errors: those of Fs and ExpandCommand.
Result<AttemptSpec> BuildAttempt(const RunRequest& request, const RunDeps& deps,
                                 const AttemptInfo& attempt, const pipeline::Plan& plan,
                                 const pipeline::NamedPaths& inputs);

/// "learning-rate" → "LEARNING_RATE": the end of SLUICE_INPUT_<NAME> and SLUICE_OUTPUT_<NAME>.
/// Pure.
std::string EnvName(std::string_view name);

}  // namespace sluice::runner
