#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "app/read_settings.h"
#include "app/steps/step.h"
#include "app/steps/table_output.h"
#include "objects/store.h"
#include "table/read.h"

namespace sluice::app {

namespace {

using formats::Json;

/// What the dataset version was made from. Names only, no folders: equal data give equal bytes
/// everywhere.
Result<Json> DescribeOrigin(const table::ReadFacts& facts, const arrow::Schema& schema) {
  Json files = Json::MakeArray();
  for (const table::FileFacts& file : facts.files) {
    ASSIGN_OR_RETURN(objects::Stored stored, objects::HashPath(io::RealFs(), file.path));
    files.Append(Json::MakeObject({{"digest", stored.id.digest.ToHex()},
                                   {"format", table::FormatName(file.format)},
                                   {"size_bytes", file.size_bytes},
                                   {"row_count", file.row_count},
                                   {"encoding", table::EncodingName(file.encoding)}}));
    if (file.format == table::Format::kCsv) {
      files.AsArray().back()["delimiter"] = std::string(1, file.delimiter);
    }
  }
  Json columns = Json::MakeArray();
  for (const std::shared_ptr<arrow::Field>& field : schema.fields()) {
    std::optional<table::ColumnType> type = table::CanonicalType(*field->type());
    columns.Append(Json::MakeObject(
        {{"name", field->name()},
         {"type", type ? table::ColumnTypeName(*type) : std::string_view("unknown")}}));
  }
  Json bad_rows = Json::MakeArray();
  for (const table::BadRow& row : facts.bad_rows) {
    bad_rows.Append(Json::MakeObject({{"file", io::BaseName(row.file)},
                                      {"line", row.line},
                                      {"column", row.column ? Json(*row.column) : Json()},
                                      {"reason", row.reason},
                                      {"text", row.text}}));
  }
  return Json::MakeObject({{"version", 1},
                           {"kind", "origin"},
                           {"row_count", facts.row_count},
                           {"bad_row_count", facts.bad_row_count},
                           {"bad_rows", std::move(bad_rows)},
                           {"columns", std::move(columns)},
                           {"files", std::move(files)}});
}

}  // namespace

Status RunIngest(StepContext& context) {
  ASSIGN_OR_RETURN(std::vector<std::string> paths, context.Inputs("from"));
  ASSIGN_OR_RETURN(table::ReadOptions options, ReadOptionsFromSettings(context.params()));
  options.thread_count = static_cast<size_t>(context.thread_count());
  ASSIGN_OR_RETURN(table::ReadOutcome outcome, table::ReadTable(paths, options));
  ASSIGN_OR_RETURN(std::string output, context.Output("table"));
  RETURN_IF_ERROR(WriteTableOutput(*outcome.table, output));
  ASSIGN_OR_RETURN(Json origin, DescribeOrigin(outcome.facts, *outcome.table->schema()));
  RETURN_IF_ERROR(WriteJsonFile(io::JoinPath(output, "origin.json"), origin));

  context.Metric("rows", static_cast<double>(outcome.facts.row_count));
  context.Metric("bad_rows", static_cast<double>(outcome.facts.bad_row_count));
  for (const table::BadRow& row : outcome.facts.bad_rows) {
    context.Warning(
        fmt::format("{}:{}: row set aside: {}", io::BaseName(row.file), row.line, row.reason));
  }
  context.Summary(fmt::format(
      "{} rows, {} columns from {} file{}{}", PrintCount(outcome.facts.row_count),
      outcome.table->num_columns(), paths.size(), paths.size() == 1 ? "" : "s",
      outcome.facts.bad_row_count > 0
          ? fmt::format(", {} bad rows set aside", PrintCount(outcome.facts.bad_row_count))
          : ""));
  return Ok();
}

}  // namespace sluice::app
