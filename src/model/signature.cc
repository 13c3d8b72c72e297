#include "model/signature.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sluice::model {
namespace {

/// How MLflow's messages print a list of names: ['a', 'b'].
std::string PrintNames(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const std::string& name : names) {
    if (text.size() > 1) text += ", ";
    text += "'" + name + "'";
  }
  return text + "]";
}

std::string_view NumpyNameOf(const arrow::DataType& type) {
  const std::optional<ColumnType> column_type = table::CanonicalType(type);
  return column_type ? NumpyTypeName(*column_type) : std::string_view("object");
}

Error Incompatible(const InputColumn& input, const arrow::DataType& found,
                   std::string_view hint = "") {
  return InvalidArgument(
      fmt::format("Incompatible input types for column {}. Can not safely convert {} to {}.{}",
                  input.name, NumpyNameOf(found), NumpyTypeName(input.type), hint));
}

Result<std::shared_ptr<arrow::ChunkedArray>> CastTo(
    const std::shared_ptr<arrow::ChunkedArray>& column, const InputColumn& input) {
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe();
  // Doubles on their way to long were seen to be whole; longs past 2^53 lose their last digits as
  // doubles, as they do in pandas.
  options.allow_float_truncate = true;
  const auto cast =
      arrow::compute::Cast(arrow::Datum(column), table::ArrowType(input.type), options);
  if (!cast.ok()) return Incompatible(input, *column->type());
  return cast->chunked_array();
}

/// True when every value is a whole number that a long holds, or missing.
bool AreWhole(const arrow::ChunkedArray& column) {
  for (const auto& chunk : column.chunks()) {
    const auto& doubles = static_cast<const arrow::DoubleArray&>(*chunk);
    for (int64_t i = 0; i < doubles.length(); ++i) {
      if (doubles.IsNull(i)) continue;
      const double value = doubles.Value(i);
      if (!(std::trunc(value) == value && value >= -0x1p63 && value < 0x1p63)) return false;
    }
  }
  return true;
}

bool AreMidnights(const arrow::ChunkedArray& column) {
  constexpr int64_t kMicrosPerDay = 86'400'000'000;
  for (const auto& chunk : column.chunks()) {
    const auto& times = static_cast<const arrow::TimestampArray&>(*chunk);
    for (int64_t i = 0; i < times.length(); ++i) {
      if (times.IsValid(i) && times.Value(i) % kMicrosPerDay != 0) return false;
    }
  }
  return true;
}

/// Like pandas, where a missing value in a column of doubles is NaN.
Result<std::shared_ptr<arrow::ChunkedArray>> NanToNull(
    const std::shared_ptr<arrow::ChunkedArray>& column) {
  arrow::ArrayVector chunks;
  for (const auto& chunk : column->chunks()) {
    const auto& doubles = static_cast<const arrow::DoubleArray&>(*chunk);
    arrow::DoubleBuilder builder;
    for (int64_t i = 0; i < doubles.length(); ++i) {
      const bool is_missing = doubles.IsNull(i) || std::isnan(doubles.Value(i));
      const auto status = is_missing ? builder.AppendNull() : builder.Append(doubles.Value(i));
      if (!status.ok()) return Internal(status.ToString());
    }
    auto array = builder.Finish();
    if (!array.ok()) return Internal(array.status().ToString());
    chunks.push_back(*array);
  }
  return std::make_shared<arrow::ChunkedArray>(std::move(chunks), arrow::float64());
}

constexpr std::string_view kMissingIntegersHint =
    " Hint: the type mismatch is likely caused by missing values. Integer columns in python can "
    "not represent missing values and are therefore encoded as floats. The best way to avoid this "
    "problem is to infer the model schema based on a realistic data sample (training dataset) that "
    "includes missing values.";

Result<std::shared_ptr<arrow::ChunkedArray>> FitColumn(
    const InputColumn& input, std::shared_ptr<arrow::ChunkedArray> column) {
  const std::shared_ptr<arrow::DataType> wanted = table::ArrowType(input.type);
  const arrow::DataType& found = *column->type();
  if (!found.Equals(*wanted)) {
    const std::optional<ColumnType> type = table::CanonicalType(found);
    const bool is_all_missing = column->null_count() == column->length();
    if (!type && found.id() != arrow::Type::NA) return Incompatible(input, found);
    const bool is_long_as_double = type == ColumnType::kInt64 && input.type == ColumnType::kDouble;
    const bool is_date_as_datetime =
        type == ColumnType::kDate && input.type == ColumnType::kTimestamp;
    const bool is_datetime_as_date =
        type == ColumnType::kTimestamp && input.type == ColumnType::kDate;
    if (is_all_missing) {
      auto nulls = arrow::MakeArrayOfNull(wanted, column->length());
      if (!nulls.ok()) return Internal(nulls.status().ToString());
      column = std::make_shared<arrow::ChunkedArray>(*nulls);
    } else if (type == ColumnType::kDouble && input.type == ColumnType::kInt64) {
      ASSIGN_OR_RETURN(column, NanToNull(column));
      if (!AreWhole(*column)) return Incompatible(input, found);
      ASSIGN_OR_RETURN(column, CastTo(column, input));
    } else if (is_datetime_as_date && !AreMidnights(*column)) {
      return Incompatible(input, found);
    } else if (is_long_as_double || is_date_as_datetime || is_datetime_as_date) {
      ASSIGN_OR_RETURN(column, CastTo(column, input));
    } else {
      return Incompatible(input, found);
    }
  }
  const bool refuses_missing =
      input.is_required && (input.type == ColumnType::kInt64 || input.type == ColumnType::kBool);
  if (refuses_missing && column->null_count() > 0) {
    // What pandas makes of such a column, and so what MLflow calls it.
    return input.type == ColumnType::kInt64
               ? Incompatible(input, *arrow::float64(), kMissingIntegersHint)
               : Incompatible(input, *arrow::utf8());
  }
  return column;
}

}  // namespace

std::string_view MlflowTypeName(const InputColumn& input) {
  switch (input.type) {
    case ColumnType::kBool: return "boolean";
    case ColumnType::kInt64: return input.is_required ? "long" : "double";
    case ColumnType::kDouble: return "double";
    case ColumnType::kString: return "string";
    case ColumnType::kDate:
    case ColumnType::kTimestamp: return "datetime";
  }
  return "string";
}

std::string_view NumpyTypeName(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return "bool";
    case ColumnType::kInt64: return "int64";
    case ColumnType::kDouble: return "float64";
    case ColumnType::kString: return "object";
    case ColumnType::kDate:
    case ColumnType::kTimestamp: return "datetime64[ns]";
  }
  return "object";
}

Signature Signature::FromGraph(const features::FeatureGraph& graph) {
  Signature signature;
  for (const features::InputColumn& input : graph.inputs()) {
    signature.inputs.push_back(
        {.name = input.name, .type = input.type, .is_required = !input.is_nullable});
  }
  return signature;
}

formats::Json Signature::ToMlflowJson() const {
  formats::Json columns = formats::Json::MakeArray();
  for (const InputColumn& input : inputs) {
    columns.Append(formats::Json::MakeObject(
        {{"type", MlflowTypeName(input)}, {"name", input.name}, {"required", input.is_required}}));
  }
  return columns;
}

std::string Signature::ToString() const {
  std::string text = "[";
  for (const InputColumn& input : inputs) {
    if (text.size() > 1) text += ", ";
    text += fmt::format("'{}': {} ({})", input.name, MlflowTypeName(input),
                        input.is_required ? "required" : "optional");
  }
  return text + "]";
}

std::shared_ptr<arrow::Schema> Signature::ToArrowSchema() const {
  arrow::FieldVector fields;
  for (const InputColumn& input : inputs) {
    fields.push_back(arrow::field(input.name, table::ArrowType(input.type)));
  }
  return arrow::schema(std::move(fields));
}

std::optional<size_t> Signature::FindInput(std::string_view name) const {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].name == name) return i;
  }
  return std::nullopt;
}

std::string MissingInputsMessage(const std::vector<std::string>& missing,
                                 const std::vector<std::string>& extra) {
  std::string message = "Model is missing inputs " + PrintNames(missing) + ".";
  if (!extra.empty()) message += " Note that there were extra inputs: " + PrintNames(extra) + ".";
  return message;
}

Result<Enforced> EnforceSignature(const Signature& signature,
                                  const std::shared_ptr<arrow::Table>& table) {
  Enforced enforced;
  for (const std::string& name : table->schema()->field_names()) {
    if (!signature.FindInput(name)) enforced.extra_columns.push_back(name);
  }
  std::vector<std::string> missing;
  arrow::ChunkedArrayVector columns;
  for (const InputColumn& input : signature.inputs) {
    const std::vector<int> indices = table->schema()->GetAllFieldIndices(input.name);
    if (indices.size() > 1) {
      return InvalidArgument(fmt::format("The input column '{}' is there twice.", input.name));
    }
    if (indices.empty() && input.is_required) {
      missing.push_back(input.name);
    } else if (indices.empty()) {
      auto nulls = arrow::MakeArrayOfNull(table::ArrowType(input.type), table->num_rows());
      if (!nulls.ok()) return Internal(nulls.status().ToString());
      columns.push_back(std::make_shared<arrow::ChunkedArray>(*nulls));
    } else {
      columns.push_back(table->column(indices.front()));
    }
  }
  if (!missing.empty()) {
    return InvalidArgument(MissingInputsMessage(missing, enforced.extra_columns));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    ASSIGN_OR_RETURN(columns[i], FitColumn(signature.inputs[i], columns[i]));
  }
  enforced.table =
      arrow::Table::Make(signature.ToArrowSchema(), std::move(columns), table->num_rows());
  return enforced;
}

}  // namespace sluice::model
