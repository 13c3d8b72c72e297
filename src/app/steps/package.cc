#include <arrow/table.h>
#include <fmt/format.h>

#include "app/steps/step.h"
#include "data/profile.h"
#include "model/folder.h"
#include "serve/serve.h"
#include "table/open.h"

namespace sluice::app {

Status RunPackage(StepContext& context) {
  model::PackageParts parts;
  ASSIGN_OR_RETURN(parts.trained_dir, context.Input("model"));
  ASSIGN_OR_RETURN(std::string table_path, context.Input("table"));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, table::OpenTable(table_path));
  parts.golden_rows = table->Slice(0, model::kGoldenRowsMax);
  if (context.HasInput("statistics")) {
    ASSIGN_OR_RETURN(std::string path, context.Input("statistics"));
    ASSIGN_OR_RETURN(parts.training_statistics, ReadJsonFile(path));
  } else if (context.HasInput("train")) {
    ASSIGN_OR_RETURN(std::string path, context.Input("train"));
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> train, table::OpenTable(path));
    ASSIGN_OR_RETURN(data::TableProfile profile,
                     data::ProfileTable(*train, static_cast<size_t>(context.thread_count())));
    parts.training_statistics = data::ProfileToJson(profile);
  }
  if (const formats::Json* provenance = context.provenance()) parts.provenance = *provenance;
  ASSIGN_OR_RETURN(std::string output, context.Output("package"));
  RETURN_IF_ERROR(model::PackageModel(parts, output));
  RETURN_IF_ERROR(model::ProveModelFolder(output, serve::PredictThroughWire));
  context.Tag("sluice.golden_rows", fmt::format("{}", parts.golden_rows->num_rows()));
  context.Summary(fmt::format("{} golden rows predicted bit-equal by the serving path",
                              PrintCount(parts.golden_rows->num_rows())));
  return Ok();
}

}  // namespace sluice::app
