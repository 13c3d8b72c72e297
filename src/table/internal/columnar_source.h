// What the sources of columnar files share: final types and no bad rows.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/result.h"
#include "table/internal/chunk_source.h"

namespace sluice::table::internal {

/// The schema that Canonicalise gives. Errors: kInvalidArgument naming the column: its type, or a
/// name that comes twice.
Result<std::shared_ptr<arrow::Schema>> CanonicalSchema(const arrow::Schema& schema);

/// One columnar file, with canonical types known from the beginning.
class ColumnarSource : public ChunkSource {
 public:
  ColumnarSource(FileFacts facts, std::shared_ptr<arrow::Schema> schema)
      : facts_(std::move(facts)), schema_(std::move(schema)) {}

  size_t FileOfChunk(size_t) const override { return 0; }
  std::vector<FileFacts> files() const override { return {facts_}; }
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  bool has_final_types() const override { return true; }
  void WidenTypes(const std::vector<std::pair<size_t, KindSet>>& misfits) override {
    CHECK(misfits.empty());
  }
  void Restart() override {}
  BadRow Describe(const ChunkProblem& problem) override;
  Error ErrorOf(const ChunkProblem& problem) override;

 protected:
  const std::string& path() const { return facts_.path; }

 private:
  const FileFacts facts_;
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace sluice::table::internal
