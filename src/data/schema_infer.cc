#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "data/internal/checks/check_kind.h"
#include "data/internal/column_reader.h"
#include "data/profile.h"
#include "data/schema.h"

namespace sluice::data {

namespace {

/// `value` moved outward (sign -1: down, 1: up) to two significant digits of `scale`.
double RoundOutward(double value, double scale, int sign) {
  double unit = std::pow(10, std::floor(std::log10(scale)) - 1);
  double steps = sign < 0 ? std::floor(value / unit) : std::ceil(value / unit);
  // Dividing by a whole number gives 0.3 where multiplying by 0.1 gives 0.30000000000000004.
  return unit < 1 ? steps / std::round(1 / unit) : steps * unit;
}

/// The limit on one side of [low, high]. Data of one sign keeps it.
double WidenBound(double low, double high, int sign, const InferOptions& options) {
  double edge = sign < 0 ? low : high;
  double extent = high - low;
  double scale = extent > 0 && std::isfinite(extent) ? extent : std::abs(edge);
  if (!(scale > 0) || !std::isfinite(scale)) return edge;
  double widened = RoundOutward(edge + sign * options.range_margin * scale, scale, sign);
  if (!std::isfinite(widened)) return edge;
  if (sign < 0 && low >= 0) return std::max(0.0, widened);
  if (sign > 0 && high <= 0) return std::min(0.0, widened);
  return widened;
}

Cell NumberCell(double value, const Cell& fallback, ColumnType type) {
  if (type == ColumnType::kDouble) return value;
  // Beyond 2^53 doubles skip integers, and the seen extreme itself is the better limit.
  if (std::abs(value) > 0x1p53) return fallback;
  return static_cast<int64_t>(value);
}

double AsDouble(const Cell& cell) {
  if (const int64_t* number = std::get_if<int64_t>(&cell)) return static_cast<double>(*number);
  return std::get<double>(cell);
}

void InferRange(const ColumnProfile& profile, const InferOptions& options, ColumnSchema& column) {
  if (!profile.numeric || profile.numeric->finite_count == 0) return;
  const Cell& low = profile.quantiles.front();
  const Cell& high = profile.quantiles.back();
  if (IsTemporal(column.type)) {
    // Time goes on: only the past is bounded.
    column.min = Limit<Cell>{.value = low, .severity = Severity::kWarning};
    return;
  }
  double from = AsDouble(low);
  double to = AsDouble(high);
  column.min = Limit<Cell>{.value = NumberCell(WidenBound(from, to, -1, options), low, column.type),
                           .severity = Severity::kWarning};
  column.max = Limit<Cell>{.value = NumberCell(WidenBound(from, to, 1, options), high, column.type),
                           .severity = Severity::kWarning};
}

/// All values of a text column, if they are few and come again and again.
void InferAllowed(const internal::ColumnReader& reader, const ColumnProfile& profile,
                  const InferOptions& options, ColumnSchema& column) {
  auto value_count = static_cast<double>(profile.row_count - profile.null_count);
  if (column.type != ColumnType::kString || !profile.is_distinct_exact ||
      profile.distinct_count < 1 ||
      profile.distinct_count > static_cast<double>(options.max_allowed_values) ||
      value_count < profile.distinct_count * static_cast<double>(options.min_rows_per_value)) {
    return;
  }
  std::set<std::string_view> values;
  reader.ForEach([&](int64_t, const internal::CellView& view) {
    if (const std::string_view* text = std::get_if<std::string_view>(&view)) values.insert(*text);
  });
  column.allowed.emplace().severity = Severity::kWarning;
  for (std::string_view value : values) column.allowed->value.emplace_back(std::string(value));
}

void InferNulls(const ColumnProfile& profile, ColumnSchema& column) {
  if (profile.row_count == 0) return;
  column.is_nullable = profile.null_count > 0;
  if (!column.is_nullable) return;
  double share = static_cast<double>(profile.null_count) / static_cast<double>(profile.row_count);
  double limit = std::min(1.0, std::ceil(100 * (1.5 * share + 0.01) - 1e-9) / 100);
  if (limit < 1)
    column.max_null_share = Limit<double>{.value = limit, .severity = Severity::kWarning};
}

void InferText(const ColumnProfile& profile, ColumnSchema& column) {
  // Texts of one length are codes; a single value says nothing about lengths.
  if (!profile.text || profile.distinct_count < 2 ||
      profile.text->min_length != profile.text->max_length)
    return;
  column.min_length =
      Limit<int64_t>{.value = profile.text->min_length, .severity = Severity::kWarning};
  column.max_length = column.min_length;
}

}  // namespace

Result<Schema> InferSchema(const arrow::Table& table, const InferOptions& options) {
  std::set<std::string> names;
  for (const std::string& name : table.ColumnNames()) {
    if (!names.insert(name).second)
      return InvalidArgument(fmt::format("the table has two columns '{}'", name));
  }
  ASSIGN_OR_RETURN(TableProfile profile, ProfileTable(table));
  Schema schema;
  if (table.num_rows() > 0)
    schema.min_row_count = Limit<int64_t>{.value = 1, .severity = Severity::kError};
  for (const ColumnProfile& column_profile : profile.columns) {
    ASSIGN_OR_RETURN(internal::ColumnReader reader,
                     internal::ReadColumn(table, column_profile.name));
    ColumnSchema column;
    column.name = column_profile.name;
    column.type = column_profile.type;
    InferNulls(column_profile, column);
    bool is_id = column_profile.is_likely_id && internal::FindRepeatedRows({&reader}).count == 0;
    if (is_id) column.unique = Limit<bool>{.value = true, .severity = Severity::kError};
    // The range of an id is an accident.
    if (!is_id) InferRange(column_profile, options, column);
    InferAllowed(reader, column_profile, options, column);
    if (!column.allowed) InferText(column_profile, column);
    if (column.type == ColumnType::kDouble && column_profile.numeric->finite_count > 0 &&
        column_profile.numeric->finite_count ==
            column_profile.row_count - column_profile.null_count) {
      column.finite = Limit<bool>{.value = true, .severity = Severity::kError};
    }
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

}  // namespace sluice::data
