#include <arrow/table.h>
#include <fmt/format.h>

#include "app/steps/step.h"
#include "app/steps/table_output.h"
#include "data/leakage.h"
#include "data/split.h"
#include "table/open.h"

namespace sluice::app {

namespace {

Result<data::PartSize> ReadPartSize(const StepContext& context, std::string_view name) {
  const formats::Json* value = context.params().Find(name);
  if (value == nullptr || value->is_null()) return data::PartSize{};
  std::string text = value->is_string() ? value->AsString() : formats::PrintJson(*value);
  Result<data::PartSize> size = data::PartSize::Parse(text);
  if (!size.ok()) return std::move(size).error().With(name);
  return size;
}

}  // namespace

Status RunSplit(StepContext& context) {
  ASSIGN_OR_RETURN(std::string path, context.Input("table"));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, table::OpenTable(path));
  data::SplitOptions options;
  ASSIGN_OR_RETURN(options.method, data::ParseSplitMethod(context.Text("by")));
  options.column = context.Text("column");
  options.salt = context.Text("salt");
  options.seed = static_cast<uint64_t>(context.seed());
  ASSIGN_OR_RETURN(options.test, ReadPartSize(context, "test"));
  ASSIGN_OR_RETURN(options.validation, ReadPartSize(context, "validation"));
  ASSIGN_OR_RETURN(data::Parts parts, data::SplitRows(*table, options));

  std::vector<data::NamedPart> tables;
  std::vector<std::pair<std::string, const std::vector<int64_t>*>> rows = {
      {"train", &parts.train}, {"validation", &parts.validation}, {"test", &parts.test}};
  std::string summary;
  for (const auto& [name, part_rows] : rows) {
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> part, data::TakeRows(table, *part_rows));
    ASSIGN_OR_RETURN(std::string output, context.Output(name));
    RETURN_IF_ERROR(WriteTableOutput(*part, output));
    context.Metric(name + "_rows", static_cast<double>(part->num_rows()));
    summary +=
        fmt::format("{}{} {}", summary.empty() ? "" : ", ", name, PrintCount(part->num_rows()));
    tables.push_back({name, std::move(part)});
  }

  data::LeakageOptions leakage_options;
  leakage_options.ignored_columns = context.Texts("ignore");
  leakage_options.group_column = context.Text("group");
  if (options.method == data::SplitMethod::kGrouped) leakage_options.group_column = options.column;
  if (options.method == data::SplitMethod::kTime) leakage_options.time_column = options.column;
  if (context.Text("on_duplicates") == "error")
    leakage_options.duplicate_severity = data::Severity::kError;
  ASSIGN_OR_RETURN(data::LeakageReport leakage, data::FindLeakage(tables, leakage_options));
  ASSIGN_OR_RETURN(std::string leakage_path, context.Output("leakage"));
  RETURN_IF_ERROR(WriteJsonFile(leakage_path, data::LeakageToJson(leakage)));
  std::string errors;
  for (const data::Finding& finding : leakage.findings.findings) {
    if (finding.severity == data::Severity::kError) {
      errors += "\n  " + finding.message;
    } else {
      context.Warning(finding.message);
    }
  }
  context.Summary(summary);
  if (!errors.empty()) return FailedPrecondition("the parts leak into each other:" + errors);
  return Ok();
}

}  // namespace sluice::app
