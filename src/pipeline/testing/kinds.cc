#include "pipeline/testing/kinds.h"

namespace sluice::pipeline {

namespace {

using formats::Json;

StepKind MakeIngest() {
  return {.name = "ingest",
          .help = "Reads files into a table.",
          .inputs = {{.name = "from",
                      .type = DataType::kFile,
                      .takes_files = true,
                      .takes_list = true,
                      .help = "Files, globs or datasets.NAME: CSV, JSON Lines, Parquet, Arrow IPC. "
                              "Several files become one table, columns matched by name."}},
          .settings = {{.name = "format",
                        .choices = {"auto", "csv", "json_lines", "parquet", "arrow_ipc"}},
                       {.name = "delimiter"},
                       {.name = "header", .type = SettingType::kBool, .default_value = Json(true)},
                       {.name = "skip_lines", .type = SettingType::kInteger, .min = 0},
                       {.name = "nulls", .type = SettingType::kStrings},
                       {.name = "types", .type = SettingType::kMap},
                       {.name = "columns", .type = SettingType::kColumns}},
          .outputs =
              {{.name = "table", .type = DataType::kTable, .is_main = true, .file_name = "table"}},
          .takes_dataset_options = true};
}

StepKind MakeValidate() {
  return {.name = "validate",
          .help = "Checks a table.",
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
                        .choices = {"fail", "continue"}}},
          .outputs = {
              {.name = "table", .type = DataType::kTable, .is_main = true, .file_name = "table"},
              {.name = "findings", .type = DataType::kFile, .file_name = "findings.json"}}};
}

StepKind MakeSplit() {
  return {.name = "split",
          .help = "Divides rows.",
          .inputs = {{.name = "table",
                      .type = DataType::kTable,
                      .takes_files = true,
                      .help = "What to divide."}},
          .settings = {{.name = "by",
                        .default_value = Json("random"),
                        .choices = {"random", "stratified", "grouped", "time", "hash"}},
                       {.name = "column", .type = SettingType::kColumn},
                       {.name = "test", .type = SettingType::kShare, .default_value = Json(0.2)},
                       {.name = "validation", .type = SettingType::kShare}},
          .outputs = {{.name = "train", .type = DataType::kTable, .file_name = "train"},
                      {.name = "validation", .type = DataType::kTable, .file_name = "validation"},
                      {.name = "test", .type = DataType::kTable, .file_name = "test"},
                      {.name = "leakage", .type = DataType::kFile, .file_name = "leakage.json"}},
          .uses_seed = true};
}

StepKind MakeFeatures() {
  return {.name = "features",
          .help = "Declares features.",
          .inputs = {{.name = "fit",
                      .type = DataType::kTable,
                      .takes_files = true,
                      .help = "The training part."}},
          .settings = {{.name = "label", .type = SettingType::kColumn},
                       {.name = "drop", .type = SettingType::kColumns},
                       {.name = "columns", .type = SettingType::kMap},
                       {.name = "default", .type = SettingType::kMap}},
          .outputs = {{.name = "features",
                       .type = DataType::kFeatures,
                       .is_main = true,
                       .file_name = "features.json"}}};
}

StepKind MakeTrain() {
  return {
      .name = "train",
      .help = "Trains a model.",
      .inputs = {{.name = "features", .type = DataType::kFeatures, .help = "The fitted features."},
                 {.name = "train",
                  .type = DataType::kTable,
                  .takes_files = true,
                  .help = "Rows to learn from."},
                 {.name = "validation",
                  .type = DataType::kTable,
                  .is_required = false,
                  .takes_files = true,
                  .help = "Rows to stop by."}},
      .settings = {{.name = "learner",
                    .default_value = Json("gbdt"),
                    .choices = {"gbdt", "linear"}},
                   {.name = "params", .type = SettingType::kMap},
                   {.name = "early_stopping", .type = SettingType::kMap},
                   {.name = "threshold",
                    .type = SettingType::kNumber,
                    .default_value = Json(0.5),
                    .min = 0,
                    .max = 1}},
      .outputs =
          {{.name = "model", .type = DataType::kModel, .is_main = true, .file_name = "model"}},
      .uses_seed = true};
}

StepKind MakeEvaluate() {
  return {
      .name = "evaluate",
      .help = "Measures a model.",
      .inputs =
          {{.name = "model", .type = DataType::kModel, .takes_files = true, .help = "The model."},
           {.name = "table",
            .type = DataType::kTable,
            .takes_files = true,
            .help = "Rows with labels."}},
      .settings = {{.name = "slices", .type = SettingType::kColumns},
                   {.name = "bootstrap",
                    .type = SettingType::kInteger,
                    .default_value = Json(1000),
                    .min = 0,
                    .max = 100000}},
      .outputs = {{.name = "report",
                   .type = DataType::kReport,
                   .is_main = true,
                   .file_name = "report.json"},
                  {.name = "predictions", .type = DataType::kTable, .file_name = "predictions"}},
      .uses_seed = true};
}

StepKind MakeGate() {
  return {
      .name = "gate",
      .help = "Rules over a report.",
      .inputs = {{.name = "report", .type = DataType::kReport, .help = "The candidate's report."}},
      .settings = {{.name = "rules",
                    .type = SettingType::kStrings,
                    .is_required = true,
                    .help = "Such as roc_auc >= 0.78 or roc_auc >= champion - 0.002."}},
      .outputs = {{.name = "verdict",
                   .type = DataType::kVerdict,
                   .is_main = true,
                   .file_name = "verdict.json"}}};
}

StepKind MakeRegister() {
  return {
      .name = "register",
      .help = "Makes a version of a registered model.",
      .inputs =
          {{.name = "model", .type = DataType::kModel, .takes_files = true, .help = "A model."},
           {.name = "verdict",
            .type = DataType::kVerdict,
            .is_required = false,
            .help = "The gate's answer."}},
      .settings = {{.name = "name", .is_required = true, .help = "The registered model's name."}},
      .outputs = {{.name = "version",
                   .type = DataType::kFile,
                   .is_main = true,
                   .file_name = "version.json"}}};
}

}  // namespace

std::span<const StepKind> TestKinds() {
  static const std::vector<StepKind> kinds = {MakeIngest(),   MakeValidate(), MakeSplit(),
                                              MakeFeatures(), MakeTrain(),    MakeEvaluate(),
                                              MakeGate(),     MakeRegister()};
  return kinds;
}

}  // namespace sluice::pipeline
