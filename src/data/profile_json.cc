#include <cmath>

#include "data/internal/sketch/hyper_log_log.h"
#include "data/profile.h"

namespace sluice::data {

namespace {

using formats::Json;

constexpr double kRankError = 0.002;

Json NumberOrNull(double value) { return std::isnan(value) ? Json() : Json(value); }

/// A double that stands for a place on the column's axis.
Json AxisToJson(double value, ColumnType type) {
  if (!IsTemporal(type)) return value;
  constexpr double kLimit = 9.2e18;
  return CellToJson(
      Cell(static_cast<int64_t>(std::min(kLimit, std::max(-kLimit, std::floor(value))))), type);
}

Json CellOrNull(const Cell& cell, ColumnType type) {
  const double* number = std::get_if<double>(&cell);
  return number != nullptr && std::isnan(*number) ? Json("NaN") : CellToJson(cell, type);
}

double Share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json FlagsToJson(const ColumnProfile& column) {
  Json flags = Json::MakeArray();
  if (column.is_constant) flags.Append("constant");
  if (column.is_likely_id) flags.Append("likely_id");
  if (column.is_likely_category) flags.Append("likely_category");
  return flags;
}

Json NumericToJson(const NumericStatistics& numeric) {
  return Json::MakeObject({{"finite_count", numeric.finite_count},
                           {"nan_count", numeric.nan_count},
                           {"positive_infinity_count", numeric.positive_infinity_count},
                           {"negative_infinity_count", numeric.negative_infinity_count},
                           {"zero_count", numeric.zero_count},
                           {"negative_count", numeric.negative_count},
                           {"sum", numeric.sum},
                           {"mean", NumberOrNull(numeric.mean)},
                           {"variance", NumberOrNull(numeric.variance)},
                           {"standard_deviation", NumberOrNull(numeric.standard_deviation)},
                           {"skewness", NumberOrNull(numeric.skewness)},
                           {"kurtosis", NumberOrNull(numeric.kurtosis)}});
}

Json TextToJson(const TextStatistics& text) {
  return Json::MakeObject({{"min_length", text.min_length},
                           {"max_length", text.max_length},
                           {"mean_length", text.mean_length},
                           {"empty_count", text.empty_count},
                           {"blank_count", text.blank_count},
                           {"padded_count", text.padded_count}});
}

Json QuantilesToJson(const ColumnProfile& column) {
  Json values = Json::MakeArray();
  for (size_t i = 0; i < column.quantiles.size(); ++i) {
    values.Append(Json::MakeObject(
        {{"share", kQuantileShares[i]}, {"value", CellOrNull(column.quantiles[i], column.type)}}));
  }
  return Json::MakeObject({{"is_exact", column.are_quantiles_exact},
                           {"rank_error", column.are_quantiles_exact ? 0.0 : kRankError},
                           {"values", std::move(values)}});
}

Json HistogramToJson(const Histogram& histogram, const ColumnProfile& column) {
  Json edges = Json::MakeArray();
  for (double edge : histogram.edges) edges.Append(AxisToJson(edge, column.type));
  Json counts = Json::MakeArray();
  for (int64_t count : histogram.counts) counts.Append(count);
  return Json::MakeObject({{"edges", std::move(edges)},
                           {"counts", std::move(counts)},
                           {"below_count", histogram.below_count},
                           {"above_count", histogram.above_count},
                           {"is_exact", column.are_quantiles_exact}});
}

Json TopToJson(const ColumnProfile& column) {
  Json values = Json::MakeArray();
  for (const TopValue& top : column.top_values) {
    values.Append(Json::MakeObject({{"value", CellOrNull(top.value, column.type)},
                                    {"count", top.count},
                                    {"share", Share(top.count, column.row_count)}}));
  }
  return Json::MakeObject(
      {{"is_exact", column.are_top_values_exact}, {"values", std::move(values)}});
}

Json ColumnToJson(const ColumnProfile& column) {
  int64_t value_count = column.row_count - column.null_count;
  Json distinct = Json::MakeObject(
      {{"count", static_cast<int64_t>(column.distinct_count)},
       {"is_exact", column.is_distinct_exact},
       {"relative_error", column.is_distinct_exact ? 0.0 : internal::HyperLogLog::kRelativeError}});
  Json json = Json::MakeObject({{"name", column.name},
                                {"type", ColumnTypeName(column.type)},
                                {"count", value_count},
                                {"null_count", column.null_count},
                                {"null_share", Share(column.null_count, column.row_count)},
                                {"distinct", std::move(distinct)},
                                {"flags", FlagsToJson(column)}});
  if (!std::holds_alternative<std::monostate>(column.min)) {
    json["min"] = CellToJson(column.min, column.type);
    json["max"] = CellToJson(column.max, column.type);
  }
  if (column.numeric && !IsTemporal(column.type)) json["numeric"] = NumericToJson(*column.numeric);
  if (column.numeric && IsTemporal(column.type) && column.numeric->finite_count > 0) {
    json["mean"] = AxisToJson(column.numeric->mean, column.type);
  }
  if (column.text) json["text"] = TextToJson(*column.text);
  if (column.type == ColumnType::kBool) {
    json["bool"] = Json::MakeObject(
        {{"true_count", column.true_count}, {"false_count", value_count - column.true_count}});
  }
  if (!column.quantiles.empty()) json["quantiles"] = QuantilesToJson(column);
  if (column.histogram) json["histogram"] = HistogramToJson(*column.histogram, column);
  json["top"] = TopToJson(column);
  return json;
}

Json CorrelationsToJson(const TableProfile& profile) {
  Json names = Json::MakeArray();
  for (const std::string& name : profile.correlation_columns) names.Append(name);
  Json rows = Json::MakeArray();
  for (const std::vector<double>& values : profile.correlations) {
    Json row = Json::MakeArray();
    for (double value : values) row.Append(NumberOrNull(value));
    rows.Append(std::move(row));
  }
  return Json::MakeObject({{"columns", std::move(names)}, {"pearson", std::move(rows)}});
}

}  // namespace

formats::Json ProfileToJson(const TableProfile& profile) {
  Json columns = Json::MakeArray();
  for (const ColumnProfile& column : profile.columns) columns.Append(ColumnToJson(column));
  return Json::MakeObject(
      {{"version", 1},
       {"kind", "profile"},
       {"row_count", profile.row_count},
       {"column_count", profile.columns.size()},
       {"memory_size_bytes", profile.memory_size_bytes},
       {"duplicate_rows",
        Json::MakeObject({{"count", profile.duplicate_row_count},
                          {"share", Share(profile.duplicate_row_count, profile.row_count)},
                          {"is_exact", profile.are_duplicates_exact}})},
       {"columns", std::move(columns)},
       {"correlations", CorrelationsToJson(profile)}});
}

}  // namespace sluice::data
