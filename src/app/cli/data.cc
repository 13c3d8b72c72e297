// `sluice data ...`: looking at a file before it is in a pipeline.
#include <arrow/table.h>
#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "app/cli/command.h"
#include "app/cli/data_print.h"
#include "app/read_settings.h"
#include "app/steps/step.h"
#include "data/check.h"
#include "data/profile.h"
#include "data/profile_file.h"
#include "data/schema.h"
#include "table/open.h"
#include "table/read.h"
#include "table/write.h"

namespace sluice::app {

namespace {

/// A table's folder is opened as it is; files are read with the options given.
Result<std::shared_ptr<arrow::Table>> ReadTables(const Arguments& arguments) {
  const std::vector<std::string>& paths = arguments.positionals();
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, io::RealFs().Stat(paths[0]));
  if (paths.size() == 1 && info && info->kind == io::FileKind::kDirectory)
    return table::OpenTable(paths[0]);
  ASSIGN_OR_RETURN(table::ReadOptions options, ReadOptionsFromArguments(arguments));
  ASSIGN_OR_RETURN(table::ReadOutcome outcome, table::ReadTable(paths, options));
  if (outcome.facts.bad_row_count > 0) {
    fmt::print(stderr, "warning: {} bad rows set aside; the first: {}:{}: {}\n",
               PrintCount(outcome.facts.bad_row_count), outcome.facts.bad_rows[0].file,
               outcome.facts.bad_rows[0].line, outcome.facts.bad_rows[0].reason);
  }
  return outcome.table;
}

Result<int> RunInfer(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, ReadTables(arguments));
  ASSIGN_OR_RETURN(data::Schema schema, data::InferSchema(*table));
  std::string text = data::PrintSchema(schema);
  if (std::string output = arguments.Get("output"); !output.empty()) {
    RETURN_IF_ERROR(io::RealFs().WriteFileAtomic(output, text, io::Durability::kDurable));
  } else {
    std::fputs(text.c_str(), stdout);
  }
  return 0;
}

Result<int> RunValidate(const Arguments& arguments) {
  std::string schema_path = arguments.Get("schema");
  if (schema_path.empty()) return InvalidArgument("`sluice data validate` needs --schema FILE");
  ASSIGN_OR_RETURN(std::string text, io::RealFs().ReadFile(schema_path, int64_t{16} << 20));
  ASSIGN_OR_RETURN(data::Schema schema, data::ParseSchema(text, schema_path));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, ReadTables(arguments));
  ASSIGN_OR_RETURN(data::Findings findings, data::Validate(*table, schema));
  if (arguments.Has("json")) {
    fmt::print("{}\n", formats::PrintJson(data::FindingsToJson(findings)));
  } else {
    std::fputs(PrintFindings(findings).c_str(), stdout);
  }
  return findings.ok() ? 0 : 1;
}

Result<int> RunProfile(const Arguments& arguments) {
  const std::vector<std::string>& paths = arguments.positionals();
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, io::RealFs().Stat(paths[0]));
  ASSIGN_OR_RETURN(table::ReadOptions options, ReadOptionsFromArguments(arguments));
  data::TableProfile profile;
  if (paths.size() == 1 && info && info->kind == io::FileKind::kDirectory) {
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, table::OpenTable(paths[0]));
    size_t threads =
        options.thread_count != 0 ? options.thread_count : std::thread::hardware_concurrency();
    ASSIGN_OR_RETURN(profile, data::ProfileTable(*table, threads));
  } else {
    ASSIGN_OR_RETURN(data::FileProfile file, data::ProfileFiles(paths, options));
    profile = std::move(file.profile);
  }
  if (arguments.Has("json")) {
    fmt::print("{}\n", formats::PrintJson(data::ProfileToJson(profile)));
  } else {
    std::fputs(PrintProfile(profile).c_str(), stdout);
  }
  return 0;
}

Result<int> RunConvert(const Arguments& arguments) {
  std::string output = arguments.Get("output");
  if (output.empty()) return InvalidArgument("`sluice data convert` needs --output FILE");
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, ReadTables(arguments));
  RETURN_IF_ERROR(table::WriteTable(*table, output));
  if (!arguments.Has("quiet")) {
    fmt::print(stderr, "{} rows, {} columns in {}\n", PrintCount(table->num_rows()),
               table->num_columns(), output);
  }
  return 0;
}

Command MakeDataCommand(std::string_view name, std::string_view summary, std::string_view details,
                        std::vector<CliOption> options, Result<int> (*run)(const Arguments&)) {
  for (const CliOption& option : ReadCliOptions()) options.push_back(option);
  return {
      .name = name,
      .summary = summary,
      .details = details,
      .positionals = {{"FILE", "CSV, JSON Lines, Parquet or Arrow IPC files, or a table's folder",
                       true, true}},
      .options = std::move(options),
      .run = run};
}

}  // namespace

Command MakeDataInferCommand() {
  return MakeDataCommand(
      "data infer", "propose a schema for a table, to be edited by a person",
      "Types, missing values, ranges with some room, small sets of categories, unique columns.",
      {{"output", 'o', "FILE", "where to write the schema; default: standard output"}}, RunInfer);
}

Command MakeDataValidateCommand() {
  return MakeDataCommand("data validate", "check a table against a schema",
                         "Exit code 1 if a check of severity error fails.",
                         {{"schema", 's', "FILE", "the schema, YAML"}}, RunValidate);
}

Command MakeDataProfileCommand() {
  return MakeDataCommand("data profile", "statistics of every column, in one pass", "", {},
                         RunProfile);
}

Command MakeDataConvertCommand() {
  return MakeDataCommand(
      "data convert", "write a table in another format",
      "The format follows from the output's extension: .csv, .tsv, .jsonl, .parquet, .arrow.",
      {{"output", 'o', "FILE", "where to write"}}, RunConvert);
}

}  // namespace sluice::app
