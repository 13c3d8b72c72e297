#include "model/rows_json.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>

#include "base/check.h"
#include "base/clock.h"
#include "formats/json.h"

namespace sluice::model {
namespace {

constexpr int64_t kMsPerDay = 86'400'000;
constexpr int64_t kFirstDay = -719'528;  // 0000-01-01
constexpr int64_t kLastDay = 2'932'896;  // 9999-12-31

std::string PrintDatetime(int64_t micros) {
  const int64_t fraction = ((micros % 1'000'000) + 1'000'000) % 1'000'000;
  std::string text = FormatUtc((micros - fraction) / 1000);
  text.pop_back();  // the Z: MLflow wants datetimes without a zone
  if (fraction != 0) text += fmt::format(".{:06}", fraction);
  return text;
}

bool IsPrintableDay(int64_t days) { return days >= kFirstDay && days <= kLastDay; }

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
      if (!IsPrintableDay(days)) return false;
      out += '"' + FormatUtc(days * kMsPerDay).substr(0, 10) + '"';
      return true;
    }
    case arrow::Type::TIMESTAMP: {
      const int64_t micros = static_cast<const arrow::TimestampArray&>(column).Value(row);
      constexpr int64_t kMicrosPerDay = 1000 * kMsPerDay;
      if (micros < kFirstDay * kMicrosPerDay || micros >= (kLastDay + 1) * kMicrosPerDay) {
        return false;
      }
      out += '"' + PrintDatetime(micros) + '"';
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
          fmt::format("column '{}', row {}: a date outside the years 0000 to 9999 has no JSON form",
                      rows.column_name(c), r));
    }
    out += ']';
  }
  return out + "]}";
}

}  // namespace sluice::model
