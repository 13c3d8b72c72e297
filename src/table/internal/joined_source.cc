#include "table/internal/joined_source.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "table/canonical.h"
#include "table/internal/arrow_status.h"
#include "table/internal/column_choice.h"

namespace sluice::table::internal {

namespace {

class JoinedSource : public ChunkSource {
 public:
  JoinedSource(std::vector<std::unique_ptr<ChunkSource>> parts, ColumnChoice choice,
               std::shared_ptr<arrow::Schema> schema)
      : parts_(std::move(parts)), choice_(std::move(choice)), schema_(std::move(schema)) {
    for (const std::unique_ptr<ChunkSource>& part : parts_) {
      first_chunks_.push_back(chunk_count_);
      first_files_.push_back(file_count_);
      chunk_count_ += part->chunk_count();
      file_count_ += part->files().size();
    }
  }

  size_t chunk_count() const override { return chunk_count_; }
  size_t FileOfChunk(size_t chunk_index) const override {
    size_t part = PartOf(first_chunks_, chunk_index);
    return first_files_[part] + parts_[part]->FileOfChunk(chunk_index - first_chunks_[part]);
  }
  std::vector<FileFacts> files() const override {
    std::vector<FileFacts> facts;
    for (const std::unique_ptr<ChunkSource>& part : parts_) {
      std::vector<FileFacts> more = part->files();
      facts.insert(facts.end(), more.begin(), more.end());
    }
    return facts;
  }
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  bool has_final_types() const override { return true; }
  void WidenTypes(const std::vector<std::pair<size_t, KindSet>>& misfits) override {
    CHECK(misfits.empty());
  }
  void Restart() override {
    for (const std::unique_ptr<ChunkSource>& part : parts_) part->Restart();
  }

  Result<ChunkResult> ReadChunk(size_t chunk_index) override {
    size_t part = PartOf(first_chunks_, chunk_index);
    ASSIGN_OR_RETURN(ChunkResult result,
                     parts_[part]->ReadChunk(chunk_index - first_chunks_[part]));
    for (ChunkProblem& problem : result.problems) problem.file_index += first_files_[part];
    if (result.batch != nullptr) {
      ASSIGN_OR_RETURN(result.batch, Adapt(*result.batch, choice_.positions[part]));
    }
    return result;
  }

  BadRow Describe(const ChunkProblem& problem) override {
    size_t part = PartOf(first_files_, problem.file_index);
    return parts_[part]->Describe(Inner(problem, part));
  }
  Error ErrorOf(const ChunkProblem& problem) override {
    size_t part = PartOf(first_files_, problem.file_index);
    return parts_[part]->ErrorOf(Inner(problem, part));
  }

 private:
  /// The last part that begins at or before `index`: parts without chunks own none.
  static size_t PartOf(const std::vector<size_t>& firsts, size_t index) {
    return static_cast<size_t>(std::upper_bound(firsts.begin(), firsts.end(), index) -
                               firsts.begin()) -
           1;
  }
  ChunkProblem Inner(ChunkProblem problem, size_t part) const {
    problem.file_index -= first_files_[part];
    return problem;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Adapt(
      const arrow::RecordBatch& batch, const std::vector<std::optional<size_t>>& positions) const {
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (size_t i = 0; i < positions.size(); ++i) {
      const std::shared_ptr<arrow::DataType>& type = schema_->field(static_cast<int>(i))->type();
      if (!positions[i]) {
        ARROW_ASSIGN(std::shared_ptr<arrow::Array> nulls, "make nulls",
                     arrow::MakeArrayOfNull(type, batch.num_rows()));
        arrays.push_back(std::move(nulls));
        continue;
      }
      const std::shared_ptr<arrow::Array>& array = batch.column(static_cast<int>(*positions[i]));
      ASSIGN_OR_RETURN(
          std::shared_ptr<arrow::ChunkedArray> wide,
          WidenColumn(std::make_shared<arrow::ChunkedArray>(array), *CanonicalType(*type)));
      arrays.push_back(wide->chunk(0));
    }
    return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(arrays));
  }

  const std::vector<std::unique_ptr<ChunkSource>> parts_;
  const ColumnChoice choice_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<size_t> first_chunks_;
  std::vector<size_t> first_files_;
  size_t chunk_count_ = 0;
  size_t file_count_ = 0;
};

}  // namespace

Result<std::unique_ptr<ChunkSource>> JoinSources(std::vector<std::unique_ptr<ChunkSource>> parts,
                                                 const ReadOptions& options) {
  std::vector<FileColumns> names;
  for (const std::unique_ptr<ChunkSource>& part : parts) {
    CHECK(part->has_final_types());
    names.push_back({part->files().front().path, part->schema()->field_names()});
  }
  ASSIGN_OR_RETURN(ColumnChoice choice, ChooseColumns(names, options));
  arrow::FieldVector fields;
  for (size_t i = 0; i < choice.names.size(); ++i) {
    std::optional<ColumnType> type;
    auto given = options.types.find(choice.names[i]);
    for (size_t part = 0; part < parts.size(); ++part) {
      std::optional<size_t> position = choice.positions[part][i];
      if (!position) continue;
      ColumnType here =
          *CanonicalType(*parts[part]->schema()->field(static_cast<int>(*position))->type());
      if (given != options.types.end() && WiderType(here, given->second) != given->second) {
        return InvalidArgument(fmt::format(
            "'{}': column '{}' of type {} cannot become {}, the given type", names[part].path,
            choice.names[i], ColumnTypeName(here), ColumnTypeName(given->second)));
      }
      type = type ? WiderType(*type, here) : here;
    }
    if (given != options.types.end()) type = given->second;
    fields.push_back(arrow::field(choice.names[i], ArrowType(type.value_or(ColumnType::kString))));
  }
  return std::unique_ptr<ChunkSource>(std::make_unique<JoinedSource>(
      std::move(parts), std::move(choice), arrow::schema(std::move(fields))));
}

}  // namespace sluice::table::internal
