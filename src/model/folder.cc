#include "model/folder.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/sha256.h"
#include "io/fs.h"
#include "model/internal/mlmodel.h"
#include "model/rows_json.h"

namespace sluice::model {
namespace {

constexpr int64_t kGoldenBytesMax = 256 << 20;

Error ArrowError(std::string_view what, const arrow::Status& status) {
  return DataLoss(fmt::format("{}: {}", what, status.ToString()));
}

Status WriteFile(const std::string& dir, std::string_view name, std::string_view bytes) {
  return io::RealFs().WriteFileAtomic(io::JoinPath(dir, name), bytes, io::Durability::kFast);
}

std::string Pretty(const formats::Json& json) {
  formats::JsonPrintOptions options;
  options.indent = 2;
  return formats::PrintJson(json, options) + "\n";
}

/// An uncompressed Arrow IPC file in memory.
Result<std::string> ToIpc(const arrow::Table& table) {
  auto stream = arrow::io::BufferOutputStream::Create();
  if (!stream.ok()) return ArrowError("write", stream.status());
  auto writer = arrow::ipc::MakeFileWriter(*stream, table.schema());
  if (!writer.ok()) return ArrowError("write", writer.status());
  if (auto status = (*writer)->WriteTable(table); !status.ok()) return ArrowError("write", status);
  if (auto status = (*writer)->Close(); !status.ok()) return ArrowError("write", status);
  auto buffer = (*stream)->Finish();
  if (!buffer.ok()) return ArrowError("write", buffer.status());
  return (*buffer)->ToString();
}

/// All rows of an untrusted Arrow IPC file as one table, every buffer checked.
Result<std::shared_ptr<arrow::Table>> ReadIpc(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, io::RealFs().ReadFile(path, kGoldenBytesMax));
  const auto source = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  auto reader = arrow::ipc::RecordBatchFileReader::Open(source);
  if (!reader.ok()) return ArrowError(path, reader.status());
  arrow::RecordBatchVector batches;
  for (int i = 0; i < (*reader)->num_record_batches(); ++i) {
    auto batch = (*reader)->ReadRecordBatch(i);
    if (!batch.ok()) return ArrowError(path, batch.status());
    if (auto status = (*batch)->ValidateFull(); !status.ok()) return ArrowError(path, status);
    batches.push_back(*batch);
  }
  auto table = arrow::Table::FromRecordBatches((*reader)->schema(), std::move(batches));
  if (!table.ok()) return ArrowError(path, table.status());
  return *table;
}

Result<std::shared_ptr<arrow::RecordBatch>> ToOneBatch(const arrow::Table& table) {
  auto batch = table.CombineChunksToBatch();
  if (!batch.ok()) return ArrowError("combine rows", batch.status());
  return *batch;
}

/// At most kGoldenRowsMax rows, spread evenly from the first on.
Result<std::shared_ptr<arrow::RecordBatch>> PickGoldenRows(
    const std::shared_ptr<arrow::Table>& table) {
  const int64_t count = std::min(table->num_rows(), kGoldenRowsMax);
  if (count == 0)
    return InvalidArgument(
        "the table has no rows, and a package needs at least one golden row; give it a table with "
        "rows (is the test part empty?)");
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < count; ++i) {
    if (auto status = builder.Append(i * table->num_rows() / count); !status.ok()) {
      return ArrowError("golden rows", status);
    }
  }
  auto indices = builder.Finish();
  if (!indices.ok()) return ArrowError("golden rows", indices.status());
  auto taken = arrow::compute::Take(arrow::Datum(table), arrow::Datum(*indices));
  if (!taken.ok()) return ArrowError("golden rows", taken.status());
  return ToOneBatch(*taken->table());
}

struct FolderFacts {
  std::string model_uuid;
  int64_t size_bytes = 0;
};

/// Names, sizes and digests of all files, as one digest.
Result<FolderFacts> Summarize(const std::string& dir) {
  io::Fs& fs = io::RealFs();
  std::vector<std::string> paths;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.ListDirectory(dir));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const auto info, fs.Stat(io::JoinPath(dir, name)));
    if (!info || info->kind != io::FileKind::kDirectory) {
      paths.push_back(name);
      continue;
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> inner,
                     fs.ListDirectory(io::JoinPath(dir, name)));
    for (const std::string& file : inner) paths.push_back(io::JoinPath(name, file));
  }
  Sha256 hash;
  FolderFacts facts;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const std::string bytes, fs.ReadFile(io::JoinPath(dir, path)));
    hash.Update(path + "\n" + ComputeSha256(bytes).ToHex() + "\n");
    facts.size_bytes += static_cast<int64_t>(bytes.size());
  }
  facts.model_uuid = hash.Finish().ToHex().substr(0, 32);
  return facts;
}

Status CopyTrained(const std::string& from, const std::string& to) {
  io::Fs& fs = io::RealFs();
  for (std::string_view name : {"model.json", "features.json"}) {
    RETURN_IF_ERROR(fs.CopyFile(io::JoinPath(from, name), io::JoinPath(to, name)));
  }
  RETURN_IF_ERROR(fs.MakeDirectories(io::JoinPath(to, "learner")));
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   fs.ListDirectory(io::JoinPath(from, "learner")));
  for (const std::string& name : names) {
    const std::string path = io::JoinPath("learner", name);
    RETURN_IF_ERROR(fs.CopyFile(io::JoinPath(from, path), io::JoinPath(to, path)));
  }
  return Ok();
}

Status CheckEmpty(const std::string& dir) {
  io::Fs& fs = io::RealFs();
  ASSIGN_OR_RETURN(const auto info, fs.Stat(dir));
  if (!info) return Ok();
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.ListDirectory(dir));
  if (names.empty()) return Ok();
  return AlreadyExists("'" + dir + "' is not empty; a model folder is written into an empty one");
}

bool SameBits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// Rows `first`... of `expected` against all of `got`.
Status CompareRows(const Predictions& expected, const Predictions& got, int64_t first,
                   std::string_view how) {
  const auto differ = [&](int64_t row, std::string_view what) {
    return DataLoss(fmt::format("golden row {}: {} differs when predicted {}", row, what, how));
  };
  const auto compare = [&](const std::vector<double>& want, const std::vector<double>& have,
                           std::string_view what) -> Status {
    const size_t width =
        expected.row_count == 0 ? 0 : want.size() / static_cast<size_t>(expected.row_count);
    if (have.size() != width * static_cast<size_t>(got.row_count)) return differ(first, what);
    for (size_t i = 0; i < have.size(); ++i) {
      if (!SameBits(want[static_cast<size_t>(first) * width + i], have[i])) {
        return differ(first + static_cast<int64_t>(i / width), what);
      }
    }
    return Ok();
  };
  if (first + got.row_count > expected.row_count) return differ(first, "the number of rows");
  RETURN_IF_ERROR(compare(expected.values, got.values, "the value"));
  RETURN_IF_ERROR(compare(expected.probabilities, got.probabilities, "a probability"));
  if (expected.class_index.empty() != got.class_index.empty()) return differ(first, "the class");
  for (size_t i = 0; i < got.class_index.size(); ++i) {
    if (expected.class_index[static_cast<size_t>(first) + i] != got.class_index[i]) {
      return differ(first + static_cast<int64_t>(i), "the class");
    }
  }
  return Ok();
}

}  // namespace

Status WriteModel(const TrainedParts& parts, const std::string& dir) {
  ASSIGN_OR_RETURN(Description description, Description::Of(parts.features, parts.learner));
  description.threshold = parts.threshold;
  description.seed = parts.seed;
  io::Fs& fs = io::RealFs();
  const std::string learner_dir = io::JoinPath(dir, "learner");
  RETURN_IF_ERROR(fs.MakeDirectories(learner_dir));
  RETURN_IF_ERROR(WriteFile(dir, "model.json", Pretty(description.ToJson())));
  RETURN_IF_ERROR(WriteFile(dir, "features.json", Pretty(parts.features.ToJson())));
  return parts.learner.Save(fs, learner_dir);
}

Status PackageModel(const PackageParts& parts, const std::string& dir) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Model::Load(parts.trained_dir));
  RETURN_IF_ERROR(CheckEmpty(dir));
  ASSIGN_OR_RETURN(const Enforced enforced,
                   EnforceSignature(model->signature(), parts.golden_rows));
  ASSIGN_OR_RETURN(const auto rows, PickGoldenRows(enforced.table));
  ASSIGN_OR_RETURN(const Predictions predictions, model->Predict(rows));

  RETURN_IF_ERROR(io::RealFs().MakeDirectories(dir));
  RETURN_IF_ERROR(CopyTrained(parts.trained_dir, dir));
  auto rows_table = arrow::Table::FromRecordBatches({rows});
  if (!rows_table.ok()) return ArrowError("golden rows", rows_table.status());
  ASSIGN_OR_RETURN(const std::string rows_bytes, ToIpc(**rows_table));
  RETURN_IF_ERROR(WriteFile(dir, "golden_rows.arrow", rows_bytes));
  ASSIGN_OR_RETURN(const auto table, PredictionsTable(model->description(), predictions));
  ASSIGN_OR_RETURN(const std::string predictions_bytes, ToIpc(*table));
  RETURN_IF_ERROR(WriteFile(dir, "golden_predictions.arrow", predictions_bytes));

  ASSIGN_OR_RETURN(const std::string example, PrintSplitJson(*rows->Slice(0, kInputExampleRows)));
  RETURN_IF_ERROR(WriteFile(dir, "input_example.json", example));
  RETURN_IF_ERROR(
      WriteFile(dir, "serving_input_example.json", R"({"dataframe_split":)" + example + "}"));
  if (!parts.training_statistics.is_null()) {
    RETURN_IF_ERROR(WriteFile(dir, "training_statistics.json", Pretty(parts.training_statistics)));
  }
  RETURN_IF_ERROR(WriteFile(dir, "provenance.json", Pretty(parts.provenance)));

  // Last, since it speaks of all the others.
  ASSIGN_OR_RETURN(const FolderFacts facts, Summarize(dir));
  return WriteFile(dir, "MLmodel",
                   internal::PrintMlmodel({.description = model->description(),
                                           .model_uuid = facts.model_uuid,
                                           .run_id = parts.run_id,
                                           .model_size_bytes = facts.size_bytes}));
}

Status ProveModelFolder(const std::string& dir, const WirePredict& wire) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Model::Load(dir));
  ASSIGN_OR_RETURN(const auto rows_table, ReadIpc(io::JoinPath(dir, "golden_rows.arrow")));
  ASSIGN_OR_RETURN(const Enforced enforced, EnforceSignature(model->signature(), rows_table));
  ASSIGN_OR_RETURN(const auto rows, ToOneBatch(*enforced.table));
  ASSIGN_OR_RETURN(const Predictions all, model->Predict(rows));

  // What is stored against what the loaded model says: column by column, bit by bit.
  ASSIGN_OR_RETURN(const auto stored, ReadIpc(io::JoinPath(dir, "golden_predictions.arrow")));
  ASSIGN_OR_RETURN(const auto expected, PredictionsTable(model->description(), all));
  if (!stored->schema()->Equals(*expected->schema()) ||
      stored->num_rows() != expected->num_rows()) {
    return DataLoss("golden_predictions.arrow has other columns or rows than the model gives");
  }
  ASSIGN_OR_RETURN(const auto stored_batch, ToOneBatch(*stored));
  ASSIGN_OR_RETURN(const auto expected_batch, ToOneBatch(*expected));
  const auto equal_bits = arrow::EqualOptions().nans_equal(true).signed_zeros_equal(false);
  for (int c = 0; c < expected_batch->num_columns(); ++c) {
    for (int64_t r = 0; r < expected_batch->num_rows(); ++r) {
      if (!expected_batch->column(c)->RangeEquals(*stored_batch->column(c), r, r + 1, r,
                                                  equal_bits)) {
        return DataLoss(fmt::format("golden row {}: column '{}' is not what was stored", r,
                                    expected_batch->column_name(c)));
      }
    }
  }

  if (wire) {
    ASSIGN_OR_RETURN(const Predictions through, wire(*model, rows));
    RETURN_IF_ERROR(CompareRows(all, through, 0, "through the serving path"));
  }
  for (int64_t r = 0; r < rows->num_rows(); ++r) {
    const std::shared_ptr<arrow::RecordBatch> row = rows->Slice(r, 1);
    ASSIGN_OR_RETURN(const Predictions alone, model->Predict(row));
    RETURN_IF_ERROR(CompareRows(all, alone, r, "alone"));
    if (!wire) continue;
    ASSIGN_OR_RETURN(const Predictions through, wire(*model, row));
    RETURN_IF_ERROR(CompareRows(all, through, r, "alone through the serving path"));
  }
  return Ok();
}

}  // namespace sluice::model
