#include <arrow/table.h>
#include <fmt/format.h>

#include "app/steps/step.h"
#include "data/profile.h"
#include "table/open.h"

namespace sluice::app {

Status RunProfile(StepContext& context) {
  ASSIGN_OR_RETURN(std::string path, context.Input("table"));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, table::OpenTable(path));
  data::ProfileOptions options;
  ASSIGN_OR_RETURN(
      data::TableProfile profile,
      data::ProfileTable(*table, static_cast<size_t>(context.thread_count()), options));
  ASSIGN_OR_RETURN(std::string output, context.Output("profile"));
  RETURN_IF_ERROR(WriteJsonFile(output, data::ProfileToJson(profile)));
  context.Metric("rows", static_cast<double>(profile.row_count));
  context.Metric("duplicate_rows", static_cast<double>(profile.duplicate_row_count));
  context.Summary(fmt::format("{} rows, {} columns, {} duplicate rows",
                              PrintCount(profile.row_count), profile.columns.size(),
                              PrintCount(profile.duplicate_row_count)));
  return Ok();
}

}  // namespace sluice::app
