#include "table/internal/columnar_source.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <set>

#include "table/canonical.h"

namespace sluice::table::internal {

Result<std::shared_ptr<arrow::Schema>> CanonicalSchema(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  std::set<std::string> names;
  for (const std::shared_ptr<arrow::Field>& field : schema.fields()) {
    if (!names.insert(field->name()).second) {
      return InvalidArgument(fmt::format("column name '{}' appears twice", field->name()));
    }
    std::optional<ColumnType> type = CanonicalTypeOf(*field->type());
    if (!type) {
      return InvalidArgument(
          fmt::format("column '{}' has type {}, which is not supported; keep other columns, or "
                      "flatten it before",
                      field->name(), field->type()->ToString()));
    }
    fields.push_back(arrow::field(field->name(), ArrowType(*type)));
  }
  return arrow::schema(std::move(fields));
}

BadRow ColumnarSource::Describe(const ChunkProblem& problem) {
  return {
      .file = path(), .line = 0, .column = problem.column, .reason = problem.reason, .text = {}};
}

Error ColumnarSource::ErrorOf(const ChunkProblem& problem) {
  return InvalidArgument(fmt::format("'{}': {}", path(), problem.reason));
}

}  // namespace sluice::table::internal
