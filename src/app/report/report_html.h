// The page a person opens after a run: one HTML file that needs nothing else.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::app {

/// One artefact with the name of the step that made it.
struct NamedArtefact {
  std::string name;
  formats::Json content;
};

/// What the page shows. Everything may be absent (null or empty): its section is then left out, and
/// so is any member of it. Members that the page does not know are not shown.
struct ReportInputs {
  /// {"pipeline": s, "run_id": s, "run_name": s, "state": "succeeded" | "failed" | "cancelled",
  ///  "started_at_ms": n, "duration_ms": n, "environment": s, "seed": n, "sluice_version": s,
  ///  "git": {"commit": s, "branch": s, "dirty": b}, "params": {name: value},
  ///  "steps": [{"name": s, "kind": s, "state": "succeeded" | "cached" | "failed" | "skipped" |
  ///  ...,
  ///             "duration_ms": n, "reason": s, "summary": s, "error": s, "cache_key": hex,
  ///             "outputs": [{"name": s, "digest": hex, "size_bytes": n}]}]}
  formats::Json run;
  formats::Json lineage;  ///< pipeline::LineageToJson; steps are matched with run.steps by label

  std::vector<NamedArtefact> profiles;  ///< data::ProfileToJson
  std::vector<NamedArtefact> findings;  ///< data::FindingsToJson
  std::vector<NamedArtefact> leakage;   ///< data::LeakageToJson
  std::vector<NamedArtefact> curves;    ///< learn::CurveToJson
  std::vector<NamedArtefact>
      evaluations;                      ///< evaluate::ReportToJson; several are shown side by side
  std::vector<NamedArtefact> verdicts;  ///< evaluate::VerdictToJson
  /// {"learner": s, "task": s, "label": s, "feature_count": n, "registered": s, "version": n,
  ///  "alias": s, "digest": hex, "params": {name: value},
  ///  "importances": [{"feature": s, "gain": x, "weight": x}]}; one a trained model.
  std::vector<NamedArtefact> models;
  std::vector<std::string> next_commands;  ///< shell commands, the likeliest first
};

inline constexpr size_t kMaxReportBytes = size_t{64} << 20;

/// The whole page: style, script and data inlined, under a content security policy that allows the
/// page's own script and style by digest and forbids every fetch. Any text in the inputs is shown
/// as text, whatever it contains. Equal inputs give equal bytes. Pure. Errors: kResourceExhausted
/// if the page would pass kMaxReportBytes.
Result<std::string> RenderReportHtml(const ReportInputs& inputs);

}  // namespace sluice::app
