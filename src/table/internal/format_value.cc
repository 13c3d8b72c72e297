#include "table/internal/format_value.h"

#include <arrow/array.h>

#include <charconv>
#include <cmath>
#include <string_view>

#include "base/check.h"
#include "table/canonical.h"
#include "table/time_text.h"

namespace sluice::table::internal {

void AppendDouble(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "nan";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-inf" : "inf";
    return;
  }
  char buffer[32];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  CHECK(error == std::errc());
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void AppendValue(const arrow::Array& array, int64_t row, std::string& out) {
  std::optional<ColumnType> type = CanonicalType(*array.type());
  CHECK(type.has_value());
  switch (*type) {
    case ColumnType::kBool:
      out += static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
      return;
    case ColumnType::kInt64: {
      char buffer[24];
      auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer,
                                        static_cast<const arrow::Int64Array&>(array).Value(row));
      CHECK(error == std::errc());
      out.append(buffer, end);
      return;
    }
    case ColumnType::kDouble:
      AppendDouble(static_cast<const arrow::DoubleArray&>(array).Value(row), out);
      return;
    case ColumnType::kString:
      out += static_cast<const arrow::StringArray&>(array).GetView(row);
      return;
    case ColumnType::kDate:
      AppendDate(static_cast<const arrow::Date32Array&>(array).Value(row), out);
      return;
    case ColumnType::kTimestamp:
      AppendTimestamp(static_cast<const arrow::TimestampArray&>(array).Value(row),
                      TimestampStyle::kBlank, out);
      return;
  }
}

}  // namespace sluice::table::internal
