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

/// All that the outputs of step `index` come from, once its parents are cached or done: the step and its ancestors in
/// topological order, each with what entered its cache key and what it made. No times, folders or run ids, so equal
/// causes give equal bytes. O(ancestors).
/// {"version":1,"kind":"provenance","pipeline":NAME,
///  "steps":[{"name":"model","kind":"train","key":HEX,"ingredients":{...},"outputs":{"model":HEX}}]}
/// (ingredients as IngredientsToJson prints them; the step itself has no outputs yet)
formats::Json ProvenanceToJson(const Plan& plan, int index);

}  // namespace sluice::pipeline
