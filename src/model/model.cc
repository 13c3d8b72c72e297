#include "model/model.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/thread_pool.h"
#include "io/fs.h"

namespace sluice::model {
namespace {

constexpr int64_t kJsonBytesMax = 512 << 20;
constexpr int64_t kRowsPerBlock = 8192;  ///< whose features are in memory at once, per thread

/// A regular file itself, no link: a model folder may come from anywhere.
Result<std::string> ReadPlainFile(io::Fs& fs, const std::string& path) {
  ASSIGN_OR_RETURN(const std::optional<io::FileInfo> info, fs.Stat(path, /*follow=*/false));
  if (!info) return NotFound("'" + path + "' is missing; is this a model folder?");
  if (info->kind != io::FileKind::kFile) {
    return InvalidArgument("'" + path + "' is not a regular file");
  }
  return fs.ReadFile(path, kJsonBytesMax);
}

Status CheckLearnerFolder(io::Fs& fs, const std::string& dir) {
  ASSIGN_OR_RETURN(const std::optional<io::FileInfo> info, fs.Stat(dir, /*follow=*/false));
  if (!info) return NotFound("'" + dir + "' is missing; is this a model folder?");
  if (info->kind != io::FileKind::kDirectory) {
    return InvalidArgument("'" + dir + "' is not a directory");
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.ListDirectory(dir));
  for (const std::string& name : names) {
    const std::string path = io::JoinPath(dir, name);
    ASSIGN_OR_RETURN(const std::optional<io::FileInfo> file, fs.Stat(path, /*follow=*/false));
    if (!file || file->kind != io::FileKind::kFile) {
      return InvalidArgument("'" + path + "' is not a regular file");
    }
  }
  return Ok();
}

Result<formats::Json> ReadJson(io::Fs& fs, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadPlainFile(fs, path));
  formats::JsonParseOptions options;
  options.file = path;
  options.max_size_bytes = kJsonBytesMax;
  return formats::ParseJson(text, options);
}

/// What the graph and learner say must be what model.json says.
Status CheckAgreement(const Description& said, const Description& is) {
  const auto differ = [](std::string_view field) {
    return DataLoss(fmt::format("'{}' is not what features.json and learner/ say", field));
  };
  if (said.task != is.task) return differ("task");
  if (said.label != is.label) return differ("label");
  if (said.classes != is.classes) return differ("classes");
  if (said.learner != is.learner) return differ("learner");
  if (said.signature.inputs != is.signature.inputs) return differ("inputs");
  return Ok();
}

/// What Predict relies on: columns are read as their signature's type without another look.
bool HasColumnsOf(const Signature& signature, const arrow::RecordBatch& batch) {
  if (batch.num_columns() != static_cast<int>(signature.inputs.size())) return false;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const arrow::DataType& type = *batch.schema()->field(i)->type();
    if (table::CanonicalType(type) != signature.inputs[static_cast<size_t>(i)].type) return false;
  }
  return true;
}

/// Fills one block of predictions from the learner's raw output.
void Decide(const Description& description, std::span<const double> output, int64_t first_row,
            Predictions& out) {
  if (description.task == Task::kRegression) {
    std::copy(output.begin(), output.end(), out.values.begin() + first_row);
    return;
  }
  const auto class_count = static_cast<int64_t>(description.classes.size());
  double* probabilities = out.probabilities.data() + first_row * class_count;
  int32_t* chosen = out.class_index.data() + first_row;
  if (description.task == Task::kBinary) {
    for (const double positive : output) {
      *probabilities++ = 1 - positive;
      *probabilities++ = positive;
      *chosen++ = positive >= description.threshold ? 1 : 0;
    }
    return;
  }
  std::copy(output.begin(), output.end(), probabilities);
  for (auto row = output.begin(); row != output.end(); row += class_count) {
    *chosen++ = static_cast<int32_t>(std::max_element(row, row + class_count) - row);
  }
}

Error ArrowError(const arrow::Status& status) { return Internal("arrow: " + status.ToString()); }

/// The column "prediction" of a classifier: each row's class, as the type its classes have.
template <typename Builder, typename Get>
Result<std::shared_ptr<arrow::Array>> BuildClasses(const Description& description,
                                                   const Predictions& predictions, Get get) {
  Builder builder;
  for (const int32_t index : predictions.class_index) {
    const auto status = builder.Append(get(description.classes[static_cast<size_t>(index)]));
    if (!status.ok()) return ArrowError(status);
  }
  auto array = builder.Finish();
  if (!array.ok()) return ArrowError(array.status());
  return *array;
}

Result<std::shared_ptr<arrow::Array>> ClassColumn(const Description& description,
                                                  const Predictions& predictions) {
  const formats::Json& first = description.classes.front();
  if (first.is_bool()) {
    return BuildClasses<arrow::BooleanBuilder>(
        description, predictions, [](const formats::Json& one) { return one.AsBool(); });
  }
  if (first.is_integer()) {
    return BuildClasses<arrow::Int64Builder>(
        description, predictions, [](const formats::Json& one) { return one.AsInteger(); });
  }
  if (first.is_double()) {
    return BuildClasses<arrow::DoubleBuilder>(
        description, predictions, [](const formats::Json& one) { return one.AsDouble(); });
  }
  return BuildClasses<arrow::StringBuilder>(
      description, predictions,
      [](const formats::Json& one) -> const std::string& { return one.AsString(); });
}

Result<std::shared_ptr<arrow::Array>> DoubleColumn(const double* values, int64_t count,
                                                   int64_t stride) {
  arrow::DoubleBuilder builder;
  for (int64_t i = 0; i < count; ++i) {
    const auto status = builder.Append(values[i * stride]);
    if (!status.ok()) return ArrowError(status);
  }
  auto array = builder.Finish();
  if (!array.ok()) return ArrowError(array.status());
  return *array;
}

}  // namespace

Model::Model(Description description, features::FeatureGraph features,
             std::unique_ptr<learn::Model> learner, features::Binding binding)
    : description_(std::move(description)),
      features_(std::move(features)),
      learner_(std::move(learner)),
      binding_(std::move(binding)) {}

Model::~Model() = default;

Result<std::shared_ptr<const Model>> Model::Load(const std::string& dir) {
  io::Fs& fs = io::RealFs();
  const std::string description_path = io::JoinPath(dir, "model.json");
  ASSIGN_OR_RETURN(const formats::Json description_json, ReadJson(fs, description_path));
  Result<Description> description = Description::FromJson(description_json);
  if (!description.ok()) return std::move(description).error().With(description_path);

  const std::string features_path = io::JoinPath(dir, "features.json");
  ASSIGN_OR_RETURN(const formats::Json features_json, ReadJson(fs, features_path));
  Result<features::FeatureGraph> graph = features::FeatureGraph::FromJson(features_json);
  if (!graph.ok()) return std::move(graph).error().With(features_path);

  const std::string learner_dir = io::JoinPath(dir, "learner");
  RETURN_IF_ERROR(CheckLearnerFolder(fs, learner_dir));
  Result<std::unique_ptr<learn::Model>> learner = learn::LoadModel(fs, learner_dir);
  if (!learner.ok()) return std::move(learner).error().With("load '" + learner_dir + "'");

  Result<std::shared_ptr<const Model>> model = Assemble(
      std::move(description).value(), std::move(graph).value(), std::move(learner).value());
  if (!model.ok()) return std::move(model).error().With(description_path);
  return model;
}

Result<std::shared_ptr<const Model>> Model::Assemble(Description description,
                                                     features::FeatureGraph features,
                                                     std::unique_ptr<learn::Model> learner) {
  ASSIGN_OR_RETURN(const Description found, Description::Of(features, *learner));
  RETURN_IF_ERROR(CheckAgreement(description, found));
  ASSIGN_OR_RETURN(features::Binding binding,
                   features.Bind(*description.signature.ToArrowSchema()));
  return std::shared_ptr<const Model>(new Model(std::move(description), std::move(features),
                                                std::move(learner), std::move(binding)));
}

Result<Predictions> Model::Predict(const std::shared_ptr<arrow::RecordBatch>& batch) const {
  CHECK_MSG(HasColumnsOf(signature(), *batch), "the batch has the signature's columns");
  const int64_t row_count = batch->num_rows();
  const auto feature_count = static_cast<int64_t>(features_.feature_names().size());
  const int64_t output_count = learner_->output_count();
  Predictions out;
  out.row_count = row_count;
  if (description_.is_classifier()) {
    out.probabilities.resize(static_cast<size_t>(row_count) * description_.classes.size());
    out.class_index.resize(static_cast<size_t>(row_count));
  } else {
    out.values.resize(static_cast<size_t>(row_count));
  }
  const int64_t block_rows = std::min(row_count, kRowsPerBlock);
  std::vector<double> matrix(static_cast<size_t>(block_rows * feature_count));
  std::vector<double> output(static_cast<size_t>(block_rows * output_count));
  for (int64_t first = 0; first < row_count; first += block_rows) {
    const int64_t count = std::min(block_rows, row_count - first);
    const std::span<double> features(matrix.data(), static_cast<size_t>(count * feature_count));
    const std::span<double> scores(output.data(), static_cast<size_t>(count * output_count));
    const bool is_whole = count == row_count;
    RETURN_IF_ERROR(
        features_.ApplyInto(binding_, is_whole ? *batch : *batch->Slice(first, count), features));
    RETURN_IF_ERROR(learner_->PredictInto(
        {.values = features.data(), .row_count = count, .column_count = feature_count}, scores,
        /*thread_count=*/1));
    Decide(description_, scores, first, out);
  }
  return out;
}

Result<Predictions> Model::Predict(const std::shared_ptr<arrow::Table>& table,
                                   int thread_count) const {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  arrow::TableBatchReader reader(*table);
  reader.set_chunksize(kRowsPerBlock);
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    const auto status = reader.ReadNext(&batch);
    if (!status.ok()) return ArrowError(status);
    if (!batch) break;
    batches.push_back(std::move(batch));
  }
  std::vector<std::optional<Result<Predictions>>> parts(batches.size());
  ParallelFor(static_cast<size_t>(std::max(thread_count, 1)), batches.size(),
              [&](size_t index) { parts[index] = Predict(batches[index]); });
  Predictions all;
  for (std::optional<Result<Predictions>>& part : parts) {
    if (!part->ok()) return std::move(*part).error();
    const Predictions& rows = part->value();
    all.row_count += rows.row_count;
    all.probabilities.insert(all.probabilities.end(), rows.probabilities.begin(),
                             rows.probabilities.end());
    all.class_index.insert(all.class_index.end(), rows.class_index.begin(), rows.class_index.end());
    all.values.insert(all.values.end(), rows.values.begin(), rows.values.end());
  }
  return all;
}

Result<Predictions> Model::PredictTable(const std::shared_ptr<arrow::Table>& table,
                                        int thread_count) const {
  ASSIGN_OR_RETURN(const Enforced enforced, EnforceSignature(signature(), table));
  return Predict(enforced.table, thread_count);
}

Result<std::shared_ptr<arrow::Table>> PredictionsTable(const Description& description,
                                                       const Predictions& predictions) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  const auto add = [&](std::string name, std::shared_ptr<arrow::Array> column) {
    fields.push_back(arrow::field(std::move(name), column->type(), /*nullable=*/false));
    columns.push_back(std::move(column));
  };
  if (!description.is_classifier()) {
    ASSIGN_OR_RETURN(auto values,
                     DoubleColumn(predictions.values.data(), predictions.row_count, 1));
    add("prediction", std::move(values));
  } else {
    ASSIGN_OR_RETURN(auto classes, ClassColumn(description, predictions));
    add("prediction", std::move(classes));
    const auto class_count = static_cast<int64_t>(description.classes.size());
    for (int64_t k = 0; k < class_count; ++k) {
      const formats::Json& one = description.classes[static_cast<size_t>(k)];
      ASSIGN_OR_RETURN(auto column, DoubleColumn(predictions.probabilities.data() + k,
                                                 predictions.row_count, class_count));
      add("probability_" + (one.is_string() ? one.AsString() : formats::PrintJson(one)),
          std::move(column));
    }
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns),
                            predictions.row_count);
}

}  // namespace sluice::model
