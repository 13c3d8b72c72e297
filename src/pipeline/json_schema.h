// The JSON Schema (draft 2020-12) of sluice.yaml, for editors: `sluice schema` prints it.
#pragma once

#include <span>

#include "formats/json.h"
#include "pipeline/step_kind.h"

namespace sluice::pipeline {

/// Generated from the grammar and the kinds' rows: what it refuses, ParsePipeline refuses too; the
/// rest (references, cycles, paths) only the parser can see. Pure; equal kinds give equal bytes.
formats::Json PipelineJsonSchema(std::span<const StepKind> kinds);

}  // namespace sluice::pipeline
