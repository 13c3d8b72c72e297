#include <arrow/table.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "app/cli/command.h"
#include "app/project.h"
#include "app/read_settings.h"
#include "app/steps/step.h"
#include "base/id.h"
#include "model/model.h"
#include "table/open.h"
#include "table/read.h"
#include "table/write.h"

namespace sluice::app {

namespace {

/// Text columns of the signature are read as text even if every value looks like a number
/// ("02134").
Result<std::shared_ptr<arrow::Table>> ReadInput(const Arguments& arguments,
                                                const model::Model& model) {
  ASSIGN_OR_RETURN(table::ReadOptions options, ReadOptionsFromArguments(arguments));
  std::string path = arguments.Get("input");
  if (path.empty())
    return InvalidArgument("`sluice predict` needs --input FILE: the rows to predict");
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, io::RealFs().Stat(path));
  if (info && info->kind == io::FileKind::kDirectory) return table::OpenTable(path);
  Result<table::ReadOutcome> inferred = table::ReadTable({path}, options);
  if (!inferred.ok()) return std::move(inferred).error();
  bool is_reread = false;
  for (const model::InputColumn& input : model.signature().inputs) {
    if (input.type != model::ColumnType::kString || options.types.count(input.name) != 0) continue;
    std::shared_ptr<arrow::ChunkedArray> column = inferred->table->GetColumnByName(input.name);
    if (!column || table::CanonicalType(*column->type()) == table::ColumnType::kString) continue;
    options.types[input.name] = table::ColumnType::kString;
    is_reread = true;
  }
  if (is_reread) {
    ASSIGN_OR_RETURN(table::Format format, table::DetectFormat(path));
    // Formats with types of their own keep them: a number there is a number.
    if (format == table::Format::kCsv) {
      ASSIGN_OR_RETURN(inferred, table::ReadTable({path}, options));
    }
  }
  if (inferred->facts.bad_row_count > 0) {
    fmt::print(stderr, "warning: {} rows could not be read and have no prediction\n",
               PrintCount(inferred->facts.bad_row_count));
  }
  return inferred->table;
}

/// Writers of tables write files; standard output gets the file's bytes.
Status PrintTable(const arrow::Table& table, bool is_json) {
  const char* folder = std::getenv("TMPDIR");
  std::string path = io::JoinPath(folder != nullptr && *folder != '\0' ? folder : "/tmp",
                                  fmt::format("sluice-predict-{}", NewRandomHex(16)));
  Status status = is_json ? table::WriteJsonLines(table, path) : table::WriteCsv(table, path);
  if (status.ok()) {
    Result<std::string> text = io::RealFs().ReadFile(path);
    if (text.ok()) std::fwrite(text->data(), 1, text->size(), stdout);
    status = text.ok() ? Ok() : Status(text.error());
  }
  RETURN_IF_ERROR(io::RealFs().Remove(path));
  return status;
}

Result<int> RunPredict(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::string folder,
                   FindModelFolder(arguments.Positional(0), arguments.Get("project")));
  ASSIGN_OR_RETURN(std::shared_ptr<const model::Model> model, model::Model::Load(folder));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> rows, ReadInput(arguments, *model));
  ASSIGN_OR_RETURN(model::Predictions predictions, model->PredictTable(rows));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table,
                   model::PredictionsTable(model->description(), predictions));
  std::vector<std::string> kept = arguments.GetAll("keep");
  if (!kept.empty()) {
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> columns, table::SelectColumns(rows, kept));
    for (int i = columns->num_columns() - 1; i >= 0; --i) {
      arrow::Result<std::shared_ptr<arrow::Table>> wider =
          table->AddColumn(0, columns->field(i), columns->column(i));
      if (!wider.ok()) return Internal(wider.status().ToString());
      table = *wider;
    }
  }
  if (std::string output = arguments.Get("output"); !output.empty()) {
    RETURN_IF_ERROR(table::WriteTable(*table, output));
    if (!arguments.Has("quiet")) {
      fmt::print(stderr, "{} predictions in {}\n", PrintCount(table->num_rows()), output);
    }
    return 0;
  }
  RETURN_IF_ERROR(PrintTable(*table, arguments.Has("json")));
  return 0;
}

}  // namespace

Command MakePredictCommand() {
  std::vector<CliOption> options = {
      {"input", 'i', "FILE",
       "rows to predict: CSV, JSON Lines, Parquet, Arrow IPC or a table's folder"},
      {"output", 'o', "FILE",
       "where to write: .csv, .jsonl, .parquet or .arrow; default: CSV on standard output"},
      {"keep", 'k', "COLUMN", "carry this column of the input over, in front", true},
  };
  for (const CliOption& option : ReadCliOptions()) options.push_back(option);
  return {.name = "predict",
          .summary = "predict the rows of a file",
          .details =
              "MODEL is a model folder, models:/NAME/VERSION, models:/NAME@ALIAS or "
              "models:/NAME/latest. The\n"
              "answer is the one that `sluice serve` gives, bit for bit. Classifiers give the "
              "class and the\n"
              "probability of each class.",
          .positionals = {{"MODEL", "what to predict with"}},
          .options = std::move(options),
          .run = RunPredict};
}

}  // namespace sluice::app
