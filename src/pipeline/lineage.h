// The graph as data, for the report's picture and for `--json`. Pure.
#pragma once

#include "formats/json.h"
#include "pipeline/graph.h"
#include "pipeline/plan.h"

namespace sluice::pipeline {

/// {"version":1,"kind":"lineage","pipeline":NAME,
///  "nodes":[{"id":"files:data/a.csv","type":"files","label":"data/a.csv","level":0,"digest":HEX|null},
///           {"id":"step:model","type":"step","label":"model","step_kind":"train","level":4,"state":"cached"}],
///  "edges":[{"from":"step:parts","to":"step:model","output":"train","input":"train","digest":HEX|null},
///           {"from":"step:verdict","to":"step:package","output":null,"input":null,"digest":null}]}
///           (a need)
/// Nodes are in topological order, files before steps; `level` is the longest way from a source,
/// for a layered drawing. Only selected steps are shown.
formats::Json LineageToJson(const Plan& plan);

}  // namespace sluice::pipeline
