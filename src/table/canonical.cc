#include "table/canonical.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "table/internal/arrow_status.h"
#include "table/internal/format_value.h"
#include "table/internal/utf8.h"

namespace sluice::table {

namespace {

using internal::FromArrow;

struct TypeName {
  std::string_view name;
  ColumnType type;
};
// The first name of each type is its own; the others are synonyms.
constexpr TypeName kTypeNames[] = {
    {"bool", ColumnType::kBool},          {"int64", ColumnType::kInt64},
    {"double", ColumnType::kDouble},      {"string", ColumnType::kString},
    {"date", ColumnType::kDate},          {"timestamp", ColumnType::kTimestamp},
    {"boolean", ColumnType::kBool},       {"int", ColumnType::kInt64},
    {"integer", ColumnType::kInt64},      {"long", ColumnType::kInt64},
    {"float", ColumnType::kDouble},       {"float64", ColumnType::kDouble},
    {"number", ColumnType::kDouble},      {"text", ColumnType::kString},
    {"str", ColumnType::kString},         {"utf8", ColumnType::kString},
    {"object", ColumnType::kString},      {"date32", ColumnType::kDate},
    {"datetime", ColumnType::kTimestamp}, {"datetime64", ColumnType::kTimestamp},
};

/// Arrow's casts live in a library of their own that must be told to register them.
Status UseComputeKernels() {
  static const arrow::Status status = arrow::compute::Initialize();
  ARROW_RETURN_IF_ERROR("start Arrow's compute functions", status);
  return Ok();
}

Result<std::shared_ptr<arrow::ChunkedArray>> Cast(
    const std::shared_ptr<arrow::ChunkedArray>& column,
    const std::shared_ptr<arrow::DataType>& type, std::string_view context) {
  RETURN_IF_ERROR(UseComputeKernels());
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe(type);
  options.allow_time_truncate = true;
  options.allow_decimal_truncate = true;
  auto cast = arrow::compute::Cast(arrow::Datum(column), options);
  if (!cast.ok()) return InvalidArgument(fmt::format("{}: {}", context, cast.status().message()));
  return cast.ValueUnsafe().chunked_array();
}

/// Nanoseconds to microseconds rounded toward the past, as all clocks do; Arrow's cast rounds
/// toward zero.
Result<std::shared_ptr<arrow::ChunkedArray>> NanosToMicros(const arrow::ChunkedArray& column) {
  arrow::ArrayVector chunks;
  for (const std::shared_ptr<arrow::Array>& chunk : column.chunks()) {
    const int64_t* nanos = chunk->data()->GetValues<int64_t>(1);
    ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> buffer, "convert timestamps",
                 arrow::AllocateBuffer(chunk->length() * static_cast<int64_t>(sizeof(int64_t))));
    auto* micros = reinterpret_cast<int64_t*>(buffer->mutable_data());
    for (int64_t i = 0; i < chunk->length(); ++i) {
      micros[i] = chunk->IsNull(i) ? 0 : nanos[i] / 1000 - (nanos[i] % 1000 < 0 ? 1 : 0);
    }
    std::shared_ptr<arrow::Buffer> validity;
    if (chunk->null_count() > 0) {
      ARROW_ASSIGN(validity, "convert timestamps", arrow::AllocateEmptyBitmap(chunk->length()));
      for (int64_t i = 0; i < chunk->length(); ++i) {
        if (chunk->IsValid(i)) arrow::bit_util::SetBit(validity->mutable_data(), i);
      }
    }
    chunks.push_back(arrow::MakeArray(
        arrow::ArrayData::Make(ArrowType(ColumnType::kTimestamp), chunk->length(),
                               {std::move(validity), std::move(buffer)}, chunk->null_count())));
  }
  return std::make_shared<arrow::ChunkedArray>(std::move(chunks),
                                               ArrowType(ColumnType::kTimestamp));
}

/// String columns from outside may hold any bytes.
Status CheckUtf8(const arrow::ChunkedArray& column, std::string_view name) {
  int64_t first_row = 0;
  for (const std::shared_ptr<arrow::Array>& chunk : column.chunks()) {
    const auto& strings = static_cast<const arrow::StringArray&>(*chunk);
    if (strings.length() > 0) {
      int64_t begin = strings.value_offset(0);
      std::string_view all(reinterpret_cast<const char*>(strings.raw_data()) + begin,
                           static_cast<size_t>(strings.value_offset(strings.length()) - begin));
      // Valid as a whole, and no value begins inside a character: then each is valid by itself.
      bool is_valid = !internal::FindInvalidUtf8(all);
      for (int64_t i = 0; i < strings.length(); ++i) {
        if (strings.IsNull(i) || strings.value_length(i) == 0) continue;
        std::string_view value = strings.GetView(i);
        bool is_cut = (static_cast<unsigned char>(value[0]) & 0xC0) == 0x80;
        if (is_cut || (!is_valid && internal::FindInvalidUtf8(value))) {
          return InvalidArgument(
              fmt::format("column '{}': row {} is not UTF-8", name, first_row + i + 1));
        }
      }
    }
    first_row += chunk->length();
  }
  return Ok();
}

Result<std::shared_ptr<arrow::ChunkedArray>> CanonicaliseColumn(
    const std::shared_ptr<arrow::ChunkedArray>& column, const std::string& name) {
  const arrow::DataType& type = *column->type();
  if (CanonicalType(type)) return column;
  std::optional<ColumnType> target = CanonicalTypeOf(type);
  if (!target) {
    return InvalidArgument(fmt::format(
        "column '{}' has type {}, which is not supported; keep other columns, or flatten it before",
        name, type.ToString()));
  }
  std::string context = fmt::format("column '{}' ({})", name, type.ToString());
  if (type.id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryType&>(type);
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::ChunkedArray> values,
                     Cast(column, dictionary.value_type(), context));
    return CanonicaliseColumn(values, name);
  }
  if (type.id() == arrow::Type::TIMESTAMP &&
      static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::NANO) {
    return NanosToMicros(*column);
  }
  if (type.id() ==
      arrow::Type::TIMESTAMP) {  // cast to the unit first, then drop the zone without shifting
    ASSIGN_OR_RETURN(
        std::shared_ptr<arrow::ChunkedArray> micros,
        Cast(column,
             arrow::timestamp(arrow::TimeUnit::MICRO,
                              static_cast<const arrow::TimestampType&>(type).timezone()),
             context));
    auto view = micros->View(ArrowType(ColumnType::kTimestamp));
    if (!view.ok()) return FromArrow(view.status(), context);
    return view.ValueUnsafe();
  }
  return Cast(column, ArrowType(*target), context);
}

}  // namespace

std::string_view ColumnTypeName(ColumnType type) {
  for (const TypeName& row : kTypeNames) {
    if (row.type == type) return row.name;
  }
  return "unknown";
}

std::optional<ColumnType> FindColumnType(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const TypeName& row : kTypeNames) {
    if (row.name == lower) return row.type;
  }
  return std::nullopt;
}

const std::shared_ptr<arrow::DataType>& ArrowType(ColumnType type) {
  static const std::array<std::shared_ptr<arrow::DataType>, 6> types = {
      arrow::boolean(), arrow::int64(),  arrow::float64(),
      arrow::utf8(),    arrow::date32(), arrow::timestamp(arrow::TimeUnit::MICRO)};
  return types[static_cast<size_t>(type)];
}

std::optional<ColumnType> CanonicalType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL: return ColumnType::kBool;
    case arrow::Type::INT64: return ColumnType::kInt64;
    case arrow::Type::DOUBLE: return ColumnType::kDouble;
    case arrow::Type::STRING: return ColumnType::kString;
    case arrow::Type::DATE32: return ColumnType::kDate;
    case arrow::Type::TIMESTAMP:
      if (type.Equals(*ArrowType(ColumnType::kTimestamp))) return ColumnType::kTimestamp;
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::optional<ColumnType> CanonicalTypeOf(const arrow::DataType& type) {
  if (std::optional<ColumnType> canonical = CanonicalType(type)) return canonical;
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64: return ColumnType::kInt64;
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: return ColumnType::kDouble;
    case arrow::Type::NA:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW: return ColumnType::kString;
    case arrow::Type::DATE64: return ColumnType::kDate;
    case arrow::Type::TIMESTAMP: return ColumnType::kTimestamp;
    case arrow::Type::DICTIONARY:
      return CanonicalTypeOf(*static_cast<const arrow::DictionaryType&>(type).value_type());
    default: return std::nullopt;
  }
}

Result<std::shared_ptr<arrow::Table>> Canonicalise(const std::shared_ptr<arrow::Table>& table) {
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  arrow::FieldVector fields;
  bool is_changed = table->schema()->HasMetadata();
  for (int i = 0; i < table->num_columns(); ++i) {
    const std::string& name = table->field(i)->name();
    const std::shared_ptr<arrow::ChunkedArray>& column = table->column(i);
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::ChunkedArray> canonical,
                     CanonicaliseColumn(column, name));
    if (canonical->type()->id() == arrow::Type::STRING)
      RETURN_IF_ERROR(CheckUtf8(*canonical, name));
    is_changed |=
        canonical != column || table->field(i)->HasMetadata() || !table->field(i)->nullable();
    fields.push_back(arrow::field(name, canonical->type()));
    columns.push_back(std::move(canonical));
  }
  if (!is_changed) return table;
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns),
                            table->num_rows());
}

Result<std::shared_ptr<arrow::RecordBatch>> Canonicalise(
    const std::shared_ptr<arrow::RecordBatch>& batch) {
  ARROW_ASSIGN(std::shared_ptr<arrow::Table> table, "convert",
               arrow::Table::FromRecordBatches(batch->schema(), {batch}));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> canonical, Canonicalise(table));
  if (canonical == table) return batch;
  ARROW_ASSIGN(std::shared_ptr<arrow::RecordBatch> result, "convert",
               canonical->CombineChunksToBatch());
  return result;
}

Result<std::shared_ptr<arrow::ChunkedArray>> WidenColumn(
    const std::shared_ptr<arrow::ChunkedArray>& column, ColumnType to) {
  std::optional<ColumnType> from = CanonicalType(*column->type());
  CHECK(from.has_value());
  if (*from == to) return column;
  if ((*from == ColumnType::kInt64 && to == ColumnType::kDouble) ||
      (*from == ColumnType::kDate && to == ColumnType::kTimestamp)) {
    RETURN_IF_ERROR(UseComputeKernels());
    arrow::compute::CastOptions options = arrow::compute::CastOptions::Unsafe(ArrowType(to));
    ARROW_ASSIGN(arrow::Datum cast, "convert", arrow::compute::Cast(arrow::Datum(column), options));
    return cast.chunked_array();
  }
  if (to != ColumnType::kString) {
    return InvalidArgument(fmt::format("a column of type {} cannot become {}",
                                       ColumnTypeName(*from), ColumnTypeName(to)));
  }
  arrow::ArrayVector chunks;
  std::string text;
  for (const std::shared_ptr<arrow::Array>& chunk : column->chunks()) {
    arrow::StringBuilder builder;
    ARROW_RETURN_IF_ERROR("convert", builder.Reserve(chunk->length()));
    for (int64_t i = 0; i < chunk->length(); ++i) {
      if (chunk->IsNull(i)) {
        builder.UnsafeAppendNull();
        continue;
      }
      text.clear();
      internal::AppendValue(*chunk, i, text);
      ARROW_RETURN_IF_ERROR("convert", builder.Append(text));
    }
    ARROW_ASSIGN(std::shared_ptr<arrow::Array> strings, "convert", builder.Finish());
    chunks.push_back(std::move(strings));
  }
  return std::make_shared<arrow::ChunkedArray>(std::move(chunks), ArrowType(ColumnType::kString));
}

ColumnType WiderType(ColumnType a, ColumnType b) {
  if (a == b) return a;
  auto are = [&](ColumnType x, ColumnType y) { return (a == x && b == y) || (a == y && b == x); };
  if (are(ColumnType::kInt64, ColumnType::kDouble)) return ColumnType::kDouble;
  if (are(ColumnType::kDate, ColumnType::kTimestamp)) return ColumnType::kTimestamp;
  return ColumnType::kString;
}

}  // namespace sluice::table
