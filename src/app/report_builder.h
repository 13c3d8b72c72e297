// Gathers what the steps of a run made into one report.html.
#pragma once

#include <string>

#include "app/project.h"
#include "formats/json.h"
#include "pipeline/params.h"
#include "runner/observer.h"

namespace sluice::app {

/// Watches a run; at its end Write reads the artefacts (profiles, findings, curves, reports,
/// verdicts) from the object store. `project` must outlive it.
class ReportBuilder : public runner::RunObserver {
 public:
  ReportBuilder(Project& project, std::string environment, pipeline::ParamValues params)
      : project_(project), environment_(std::move(environment)), params_(std::move(params)) {}

  void OnPlan(const std::string& run_id, const pipeline::Plan& plan) override;

  /// Replaces `path` atomically. Errors: those of the object store and io::Fs.
  Status Write(const runner::RunSummary& summary, const std::string& path);

 private:
  Project& project_;
  const std::string environment_;
  const pipeline::ParamValues params_;
  const pipeline::Pipeline* pipeline_ = nullptr;
  formats::Json lineage_;
};

}  // namespace sluice::app
