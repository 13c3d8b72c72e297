#include "features/testing/tables.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "base/check.h"

namespace sluice::features::testing {
namespace {

template <typename Builder, typename Value>
Column Build(std::string name, Builder builder, const std::vector<std::optional<Value>>& values) {
  for (const std::optional<Value>& value : values) {
    CHECK((value.has_value() ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  std::shared_ptr<arrow::Array> array;
  CHECK(builder.Finish(&array).ok());
  return {std::move(name), std::move(array)};
}

}  // namespace

Column Doubles(std::string name, const std::vector<std::optional<double>>& values) {
  return Build(std::move(name), arrow::DoubleBuilder(), values);
}
Column Integers(std::string name, const std::vector<std::optional<int64_t>>& values) {
  return Build(std::move(name), arrow::Int64Builder(), values);
}
Column Bools(std::string name, const std::vector<std::optional<bool>>& values) {
  return Build(std::move(name), arrow::BooleanBuilder(), values);
}
Column Texts(std::string name, const std::vector<std::optional<std::string>>& values) {
  return Build(std::move(name), arrow::StringBuilder(), values);
}
Column Dates(std::string name, const std::vector<std::optional<int32_t>>& days) {
  return Build(std::move(name), arrow::Date32Builder(), days);
}
Column Timestamps(std::string name, const std::vector<std::optional<int64_t>>& micros) {
  return Build(std::move(name),
               arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO),
                                       arrow::default_memory_pool()),
               micros);
}

std::shared_ptr<arrow::Table> MakeTable(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

}  // namespace sluice::features::testing
