#include "model/rows_json.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>

#include "base/check.h"
#include "formats/json.h"
#include "table/time_text.h"

namespace sluice::model {
namespace {

constexpr int64_t kFirstDay = -719'162;  // 0001-01-01
constexpr int64_t kLastDay = 2'932'896;  // 9999-12-31

/// False for a date that has no four-digit year.
bool AppendValue(const arrow::Array& column, int64_t row, std::string& out) {
  if (column.IsNull(row)) {
    out += "null";
    return true;
  }
  switch (column.type_id()) {
    case arrow::Type::BOOL:
      out += static_cast<const arrow::BooleanArray&>(column).Value(row) ? "true" : "false";
      return true;
    case arrow::Type::INT64:
      fmt::format_to(std::back_inserter(out), "{}",
                     static_cast<const arrow::Int64Array&>(column).Value(row));
      return true;
    case arrow::Type::DOUBLE: {
      const double value = static_cast<const arrow::DoubleArray&>(column).Value(row);
      out += std::isnan(value) ? "null" : formats::PrintDouble(value);
      return true;
    }
    case arrow::Type::STRING:
      out += formats::PrintJson(
          formats::Json(static_cast<const arrow::StringArray&>(column).GetView(row)));
      return true;
    case arrow::Type::DATE32: {
      const int64_t days = static_cast<const arrow::Date32Array&>(column).Value(row);
      if (days < kFirstDay || days > kLastDay) return false;
      out += '"';
      table::AppendDate(static_cast<int32_t>(days), out);
      out += '"';
      return true;
    }
    case arrow::Type::TIMESTAMP: {
      const int64_t micros = static_cast<const arrow::TimestampArray&>(column).Value(row);
      if (micros < kFirstDay * table::kMicrosPerDay ||
          micros >= (kLastDay + 1) * table::kMicrosPerDay) {
        return false;
      }
      // Without a zone, as MLflow wants datetimes.
      out += '"';
      table::AppendTimestamp(micros, table::TimestampStyle::kLocal, out);
      out += '"';
      return true;
    }
    default: CheckFailed(__FILE__, __LINE__, "canonical type", column.type()->ToString());
  }
}

}  // namespace

Result<std::string> PrintSplitJson(const arrow::RecordBatch& rows) {
  std::string out = R"({"columns":[)";
  for (int c = 0; c < rows.num_columns(); ++c) {
    if (c > 0) out += ',';
    out += formats::PrintJson(formats::Json(rows.column_name(c)));
  }
  out += R"(],"data":[)";
  for (int64_t r = 0; r < rows.num_rows(); ++r) {
    out += r > 0 ? ",[" : "[";
    for (int c = 0; c < rows.num_columns(); ++c) {
      if (c > 0) out += ',';
      if (AppendValue(*rows.column(c), r, out)) continue;
      return InvalidArgument(
          fmt::format("column '{}', row {}: a date outside the years 0001 to 9999 has no JSON form",
                      rows.column_name(c), r));
    }
    out += ']';
  }
  return out + "]}";
}

}  // namespace sluice::model
