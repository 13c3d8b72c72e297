#include <arrow/table.h>
#include <fmt/format.h>

#include "app/steps/step.h"
#include "features/graph.h"
#include "table/open.h"

namespace sluice::app {

Status RunFeatures(StepContext& context) {
  ASSIGN_OR_RETURN(std::string path, context.Input("fit"));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, table::OpenTable(path));
  ASSIGN_OR_RETURN(features::FeatureSpec spec, features::FeatureSpec::FromJson(context.params()));
  ASSIGN_OR_RETURN(features::FeatureGraph graph,
                   features::FeatureGraph::Fit(*table, spec, context.thread_count()));
  ASSIGN_OR_RETURN(std::string output, context.Output("features"));
  RETURN_IF_ERROR(WriteJsonFile(output, graph.ToJson()));
  for (const std::string& warning : graph.warnings()) context.Warning(warning);
  context.Metric("features", static_cast<double>(graph.feature_names().size()));
  context.Summary(fmt::format("{} features from {} columns, fitted on {} rows",
                              graph.feature_names().size(), graph.inputs().size(),
                              PrintCount(table->num_rows())));
  return Ok();
}

}  // namespace sluice::app
