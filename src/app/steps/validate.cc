#include <arrow/table.h>
#include <fmt/format.h>

#include "app/steps/step.h"
#include "app/steps/table_output.h"
#include "data/check.h"
#include "data/schema.h"
#include "table/open.h"

namespace sluice::app {

Status RunValidate(StepContext& context) {
  ASSIGN_OR_RETURN(std::string table_path, context.Input("table"));
  ASSIGN_OR_RETURN(std::string schema_path, context.Input("schema"));
  ASSIGN_OR_RETURN(std::string schema_text, io::RealFs().ReadFile(schema_path, int64_t{16} << 20));
  ASSIGN_OR_RETURN(data::Schema schema,
                   data::ParseSchema(schema_text, context.SourceName("schema")));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, table::OpenTable(table_path));
  ASSIGN_OR_RETURN(data::Findings findings, data::Validate(*table, schema));

  ASSIGN_OR_RETURN(std::string findings_path, context.Output("findings"));
  RETURN_IF_ERROR(WriteJsonFile(findings_path, data::FindingsToJson(findings)));
  context.Metric("errors", static_cast<double>(findings.error_count()));
  context.Metric("warnings", static_cast<double>(findings.warning_count()));
  for (const data::Finding& finding : findings.findings) {
    if (finding.severity == data::Severity::kWarning) context.Warning(finding.message);
  }
  std::string summary =
      fmt::format("{} checks, {} errors, {} warnings", PrintCount(findings.check_count),
                  findings.error_count(), findings.warning_count());
  context.Summary(summary);
  if (!findings.ok() && context.Text("on_error") != "continue") {
    std::string message = fmt::format("{} does not keep to {}: {}", "the table",
                                      context.SourceName("schema"), summary);
    for (const data::Finding& finding : findings.findings) {
      if (finding.severity == data::Severity::kError) message += "\n  " + finding.message;
    }
    return FailedPrecondition(std::move(message));
  }
  ASSIGN_OR_RETURN(std::string output, context.Output("table"));
  return PassTableOn(table_path, *table, output);
}

}  // namespace sluice::app
