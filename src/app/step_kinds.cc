#include "app/step_kinds.h"

#include <fmt/format.h>

#include "app/step_checks.h"
#include "formats/json.h"

namespace sluice::app {

namespace {

using formats::Json;
using pipeline::DataType;
using pipeline::InputRow;
using pipeline::OutputRow;
using pipeline::SettingRow;
using pipeline::SettingType;
using pipeline::StepKind;

StepKind MakeIngest() {
  return {
      .name = "ingest",
      .help =
          "Reads files into a dataset version: one table with typed columns. Types that are not "
          "given are inferred "
          "from every value.",
      .inputs = {{.name = "from",
                  .type = DataType::kFile,
                  .takes_files = true,
                  .takes_list = true,
                  .help = "Files, globs or datasets.NAME: CSV, JSON Lines, Parquet, Arrow IPC. "
                          "Several files become one "
                          "table, columns matched by name."}},
      .settings =
          {{.name = "format",
            .choices = {"auto", "csv", "json_lines", "parquet", "arrow_ipc"},
            .help = "By extension and first bytes unless given."},
           {.name = "delimiter",
            .help = "Of CSV; found out unless given. `tab` is the tab character."},
           {.name = "header",
            .type = SettingType::kBool,
            .default_value = Json(true),
            .help = "The first line holds the column names."},
           {.name = "names",
            .type = SettingType::kStrings,
            .help = "Column names, instead of the header's."},
           {.name = "comment", .help = "Lines that begin with this are skipped."},
           {.name = "skip_lines",
            .type = SettingType::kInteger,
            .min = 0,
            .help = "Lines to skip at the beginning of each file."},
           {.name = "quote",
            .help = "The quote character; `none` for files without quoting. Default: \"."},
           {.name = "escape",
            .help = "A character that takes the next one as it is, inside quotes. Default: none."},
           {.name = "trim",
            .type = SettingType::kBool,
            .default_value = Json(false),
            .help = "Removes blanks around fields."},
           {.name = "nulls",
            .type = SettingType::kStrings,
            .help = "More spellings of a missing value, such as \"?\"; empty, NA, null, NaN and "
                    "the like always are."},
           {.name = "only_nulls",
            .type = SettingType::kStrings,
            .help = "The only spellings of a missing value, instead of the usual ones."},
           {.name = "true_values",
            .type = SettingType::kStrings,
            .help = "Spellings of true. Default: true, True, TRUE."},
           {.name = "false_values",
            .type = SettingType::kStrings,
            .help = "Spellings of false. Default: false, False, FALSE."},
           {.name = "decimal",
            .choices = {".", ","},
            .help = "The decimal point. Default: a point."},
           {.name = "thousands",
            .help = "The separator between groups of three digits. Default: none."},
           {.name = "date_formats",
            .type = SettingType::kStrings,
            .help = "Formats such as %d.%m.%Y, tried before ISO 8601."},
           {.name = "encoding",
            .choices = {"auto", "utf-8", "utf-16-le", "utf-16-be", "latin1", "windows-1252"},
            .help = "By byte order mark, else UTF-8."},
           {.name = "types",
            .type = SettingType::kMap,
            .help = "Column → bool, int64, double, string, date or timestamp; all others are "
                    "inferred."},
           {.name = "columns",
            .type = SettingType::kColumns,
            .help = "Keep only these, in this order."},
           {.name = "bad_rows",
            .default_value = Json("fail"),
            .choices = {"fail", "skip"},
            .help = "What happens to a row that cannot be read: the step fails, or the row is set "
                    "aside and counted."},
           {.name = "allow_missing_columns",
            .type = SettingType::kBool,
            .default_value = Json(false),
            .help = "Of several files: a column that one of them lacks is missing there, instead "
                    "of an error."}},
      .outputs = {{.name = "table",
                   .type = DataType::kTable,
                   .is_main = true,
                   .file_name = "table",
                   .help = "The rows (data.arrow), and origin.json: files, counts, bad rows."}},
      .format_version = 1,
      .takes_dataset_options = true,
  };
}

StepKind MakeValidate() {
  return {
      .name = "validate",
      .help =
          "Checks a table against a schema file. A failed check of severity error fails the step.",
      .inputs = {{.name = "table",
                  .type = DataType::kTable,
                  .takes_files = true,
                  .help = "What to check."},
                 {.name = "schema",
                  .type = DataType::kFile,
                  .takes_files = true,
                  .help = "The schema, YAML; `sluice data infer` proposes one."}},
      .settings = {{.name = "on_error",
                    .default_value = Json("fail"),
                    .choices = {"fail", "continue"},
                    .help = "`continue` only reports."}},
      .outputs =
          {{.name = "table",
            .type = DataType::kTable,
            .is_main = true,
            .file_name = "table",
            .help = "The same rows."},
           {.name = "findings",
            .type = DataType::kFile,
            .file_name = "findings.json",
            .help = "Every broken check with its measured value, limit, counts and sample rows."}},
  };
}

StepKind MakeProfile() {
  return {
      .name = "profile",
      .help = "Statistics of every column, in one pass.",
      .inputs = {{.name = "table",
                  .type = DataType::kTable,
                  .takes_files = true,
                  .help = "What to describe."}},
      .settings = {},
      .outputs = {{.name = "profile",
                   .type = DataType::kFile,
                   .is_main = true,
                   .file_name = "profile.json",
                   .help = "Counts, moments, quantiles, histograms, top values, correlations."}},
  };
}

StepKind MakeSplit() {
  return {
      .name = "split",
      .help =
          "Divides the rows of a table into train, validation and test, the same way every time, "
          "and looks for rows "
          "and groups that stand on two sides.",
      .inputs = {{.name = "table",
                  .type = DataType::kTable,
                  .takes_files = true,
                  .help = "What to divide."}},
      .settings = {{.name = "by",
                    .default_value = Json("random"),
                    .choices = {"random", "stratified", "grouped", "time", "hash"},
                    .help = "random; stratified by a label; grouped: a group goes to one side; "
                            "time: the newest rows test; hash: "
                            "by the hash of a key, stable when rows are added."},
                   {.name = "column",
                    .type = SettingType::kColumn,
                    .help = "The label, group, time or key."},
                   {.name = "test",
                    .type = SettingType::kAny,
                    .default_value = Json("20%"),
                    .help = "Size of the test part: 20%, 0.2 or a number of rows."},
                   {.name = "validation",
                    .type = SettingType::kAny,
                    .help = "Size of the validation part. Default: none."},
                   {.name = "salt", .help = "For hash: another salt gives another split."},
                   {.name = "ignore",
                    .type = SettingType::kColumns,
                    .help =
                        "Columns left out when rows are compared across sides: ids and the like."},
                   {.name = "group",
                    .type = SettingType::kColumn,
                    .help =
                        "No value of this column may be on two sides, whatever the split is by."},
                   {.name = "on_duplicates",
                    .default_value = Json("warn"),
                    .choices = {"warn", "error"},
                    .help = "What equal rows on two sides are."}},
      .outputs =
          {{.name = "train",
            .type = DataType::kTable,
            .file_name = "train",
            .help = "To learn from."},
           {.name = "validation",
            .type = DataType::kTable,
            .file_name = "validation",
            .help = "To stop learning by."},
           {.name = "test", .type = DataType::kTable, .file_name = "test", .help = "To judge by."},
           {.name = "leakage",
            .type = DataType::kFile,
            .file_name = "leakage.json",
            .help = "What the sides share."}},
      .uses_seed = true,
      .check = CheckSplitSettings,
  };
}

StepKind MakeFeatures() {
  return {
      .name = "features",
      .help =
          "Declares how columns become numbers, and learns what that needs (medians, categories, "
          "edges) from the "
          "training part alone. The operations are in docs/reference/features.md.",
      .inputs = {{.name = "fit",
                  .type = DataType::kTable,
                  .takes_files = true,
                  .help = "The training part."}},
      .settings =
          {{.name = "label",
            .type = SettingType::kColumn,
            .help = "What is predicted; never a feature."},
           {.name = "task",
            .default_value = Json("auto"),
            .choices = {"auto", "classification", "regression"},
            .help = "Text and bool labels are classes; numbers are a regression target unless two "
                    "whole values occur."},
           {.name = "positive",
            .help =
                "The class whose probability a binary model predicts. Default: the last sorted."},
           {.name = "missing_label",
            .default_value = Json("error"),
            .choices = {"error", "drop"},
            .help = "What happens to rows without a label."},
           {.name = "weight",
            .type = SettingType::kColumn,
            .help = "A column of sample weights; never a feature."},
           {.name = "drop", .type = SettingType::kColumns, .help = "Columns that are no features."},
           {.name = "columns",
            .type = SettingType::kMap,
            .help = "Column → list of operations, such as [impute: median, scale: standard]."},
           {.name = "default",
            .type = SettingType::kMap,
            .help = "Operations for all other columns, by type: numeric, text, date, bool."}},
      .outputs = {{.name = "features",
                   .type = DataType::kFeatures,
                   .is_main = true,
                   .file_name = "features.json",
                   .help = "The fitted graph, as data."}},
      .check = CheckFeaturesSettings,
  };
}

StepKind MakeTrain() {
  return {
      .name = "train",
      .help =
          "Trains a model. The result is the same to the bit for every number of threads. The "
          "learners and their "
          "parameters are in docs/reference/learners.md.",
      .inputs = {{.name = "features", .type = DataType::kFeatures, .help = "The fitted features."},
                 {.name = "train",
                  .type = DataType::kTable,
                  .takes_files = true,
                  .help = "Rows to learn from."},
                 {.name = "validation",
                  .type = DataType::kTable,
                  .is_required = false,
                  .takes_files = true,
                  .help = "Rows to watch and to stop by."}},
      .settings =
          {{.name = "learner",
            .default_value = Json("gbdt"),
            .choices = {"gbdt", "linear"},
            .help =
                "gbdt: gradient-boosted trees by XGBoost; linear: logistic or ridge regression."},
           {.name = "params", .type = SettingType::kMap, .help = "The learner's parameters."},
           {.name = "early_stopping",
            .type = SettingType::kMap,
            .help = "{metric, patience, min_delta}: stop when the validation part says so; the "
                    "best iteration is kept."},
           {.name = "threshold",
            .type = SettingType::kNumber,
            .default_value = Json(0.5),
            .min = 0,
            .max = 1,
            .help = "A binary model says the positive class from this probability on."}},
      .outputs = {{.name = "model",
                   .type = DataType::kModel,
                   .is_main = true,
                   .file_name = "model",
                   .help = "The model folder: learner, fitted features, model.json, curve.json."}},
      .uses_seed = true,
      .check = CheckTrainSettings,
  };
}

StepKind MakeEvaluate() {
  return {
      .name = "evaluate",
      .help =
          "Measures a model on a table: metrics as scikit-learn computes them with bootstrap "
          "intervals, curves, "
          "slices, fairness, permutation importance.",
      .inputs =
          {{.name = "model", .type = DataType::kModel, .takes_files = true, .help = "The model."},
           {.name = "table",
            .type = DataType::kTable,
            .takes_files = true,
            .help = "Rows with labels."}},
      .settings =
          {{.name = "slices",
            .type = SettingType::kColumns,
            .help = "Columns by whose values the metrics are broken down; need not be features."},
           {.name = "sensitive",
            .type = SettingType::kColumns,
            .help = "Slices that also get fairness measures."},
           {.name = "metric",
            .help =
                "The main one, for slices and importances. Default: roc_auc, roc_auc_ovr or rmse."},
           {.name = "threshold",
            .type = SettingType::kNumber,
            .min = 0,
            .max = 1,
            .help = "For classes from probabilities. Default: the model's."},
           {.name = "bootstrap",
            .type = SettingType::kInteger,
            .default_value = Json(1000),
            .min = 0,
            .max = 100000,
            .help = "Resamples for the 95 % intervals; 0 for none."},
           {.name = "importance",
            .type = SettingType::kMap,
            .help = "{repeats, rows} of permutation importance. Default: 3 repeats on 2,000 rows; "
                    "0 repeats for none."}},
      .outputs = {{.name = "report",
                   .type = DataType::kReport,
                   .is_main = true,
                   .file_name = "report.json",
                   .help = "Everything measured, as data."},
                  {.name = "predictions",
                   .type = DataType::kTable,
                   .file_name = "predictions",
                   .help = "Label, predicted class and probabilities (or value) of each row."}},
      .format_version = 2,
      .uses_seed = true,
  };
}

StepKind MakeGate() {
  return {
      .name = "gate",
      .help =
          "Rules over a report, absolute and against the current champion on the same rows. What "
          "is missing or NaN "
          "fails. The rules are in docs/reference/gates.md.",
      .inputs = {{.name = "report", .type = DataType::kReport, .help = "The candidate's report."},
                 {.name = "model",
                  .type = DataType::kModel,
                  .is_required = false,
                  .help = "The candidate, for rules about paired differences to the champion."}},
      .settings = {{.name = "rules",
                    .type = SettingType::kStrings,
                    .is_required = true,
                    .help = "Such as roc_auc >= 0.78 or roc_auc >= champion - 0.002."},
                   {.name = "champion",
                    .help = "The registered model whose alias `champion` rules compare with."},
                   {.name = "on_fail",
                    .default_value = Json("continue"),
                    .choices = {"continue", "stop"},
                    .help = "`stop` fails the step, so that nothing after it runs."}},
      .outputs = {{.name = "verdict",
                   .type = DataType::kVerdict,
                   .is_main = true,
                   .file_name = "verdict.json",
                   .help = "Every rule with its measured value, and pass, fail or inconclusive."}},
      .format_version = 2,
      .uses_seed = true,
      .check = CheckGateSettings,
  };
}

StepKind MakeRegister() {
  return {
      .name = "register",
      .help =
          "Makes a new version of a registered model. With a verdict of pass it becomes champion, "
          "else challenger; "
          "nothing becomes champion after a failed gate.",
      .inputs = {{.name = "model",
                  .type = DataType::kModel,
                  .takes_files = true,
                  .help = "A model or, better, a package."},
                 {.name = "verdict",
                  .type = DataType::kVerdict,
                  .is_required = false,
                  .help = "The gate's answer."}},
      .settings = {{.name = "name", .is_required = true, .help = "The registered model's name."},
                   {.name = "alias", .help = "Another alias than champion or challenger."},
                   {.name = "model_description",
                    .help = "For a model that is registered for the first time."}},
      .outputs = {{.name = "version",
                   .type = DataType::kFile,
                   .is_main = true,
                   .file_name = "version.json",
                   .help = "Name, number, alias and digests."}},
      .format_version = 2,
  };
}

StepKind MakePackage() {
  return {
      .name = "package",
      .help =
          "Makes the model folder that serves anywhere (MLmodel, signature, example, golden rows, "
          "provenance), loads "
          "it back and proves that the serving path predicts the golden rows bit-equal.",
      .inputs = {{.name = "model", .type = DataType::kModel, .help = "The trained model."},
                 {.name = "table",
                  .type = DataType::kTable,
                  .takes_files = true,
                  .help = "Where golden rows and the input example come from."},
                 {.name = "train",
                  .type = DataType::kTable,
                  .is_required = false,
                  .takes_files = true,
                  .help = "The training part, for its statistics."},
                 {.name = "statistics",
                  .type = DataType::kFile,
                  .is_required = false,
                  .takes_files = true,
                  .help = "Its profile, if there is one already."}},
      .settings = {},
      .outputs = {{.name = "package",
                   .type = DataType::kModel,
                   .is_main = true,
                   .file_name = "package",
                   .help = "The folder."}},
      .takes_provenance = true,
  };
}

std::string PrintDefault(const SettingRow& row) {
  if (row.is_required) return "required";
  return row.default_value.is_null() ? ""
                                     : fmt::format("`{}`", formats::PrintJson(row.default_value));
}

}  // namespace

std::span<const StepKind> StepKinds() {
  static const std::vector<StepKind> kinds = {
      MakeIngest(), MakeValidate(), MakeProfile(), MakeSplit(),   MakeFeatures(),
      MakeTrain(),  MakeEvaluate(), MakeGate(),    MakePackage(), MakeRegister()};
  return kinds;
}

std::string PrintStepReference() {
  std::string text =
      "# Native steps\n\n"
      "Written by `sluice reference steps` from the table of step kinds. What every step takes "
      "besides (needs, timeout,\n"
      "retries, seed, cache) is in [pipeline.md](pipeline.md).\n";
  for (const StepKind& kind : StepKinds()) {
    text +=
        fmt::format("\n## {}\n\n{}\n\n| input | what | |\n|---|---|---|\n", kind.name, kind.help);
    for (const InputRow& row : kind.inputs) {
      text += fmt::format("| `{}` | {}{} | {} |\n", row.name, pipeline::DataTypeName(row.type),
                          row.is_required ? "" : ", optional", row.help);
    }
    if (!kind.settings.empty()) text += "\n| setting | type | default | |\n|---|---|---|---|\n";
    for (const SettingRow& row : kind.settings) {
      std::string type(pipeline::SettingTypeName(row.type));
      if (!row.choices.empty()) type = fmt::format("{}", fmt::join(row.choices, ", "));
      text += fmt::format("| `{}` | {} | {} | {} |\n", row.name, type, PrintDefault(row), row.help);
    }
    text += "\n| output | what | |\n|---|---|---|\n";
    for (const OutputRow& row : kind.outputs) {
      text += fmt::format("| `{}`{} | {}, `{}` | {} |\n", row.name, row.is_main ? " (main)" : "",
                          pipeline::DataTypeName(row.type), row.file_name, row.help);
    }
  }
  return text;
}

}  // namespace sluice::app
