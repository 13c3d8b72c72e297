#include "app/cli/data_print.h"

#include <fmt/format.h>

#include "app/steps/step.h"

namespace sluice::app {

namespace {

constexpr size_t kShownTopValues = 3;
constexpr size_t kShownTextBytes = 24;

std::string Shorten(const std::string& text) {
  if (text.size() <= kShownTextBytes) return text;
  size_t end = kShownTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string Extent(const data::ColumnProfile& column) {
  if (!column.quantiles.empty()) {
    auto at = [&](double share) -> std::string {
      for (size_t i = 0; i < data::kQuantileShares.size(); ++i) {
        if (data::kQuantileShares[i] == share)
          return data::FormatCell(column.quantiles[i], column.type);
      }
      return "";
    };
    std::string text = fmt::format("{} … {} … {}", at(0), at(0.5), at(1));
    if (column.numeric && data::IsNumeric(column.type)) {
      text += fmt::format("  mean {:.6g} sd {:.6g}", column.numeric->mean,
                          column.numeric->standard_deviation);
    }
    return text;
  }
  std::string text;
  for (size_t i = 0; i < column.top_values.size() && i < kShownTopValues; ++i) {
    const data::TopValue& top = column.top_values[i];
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ",
                        Shorten(data::FormatCell(top.value, column.type)), PrintCount(top.count));
  }
  return text;
}

}  // namespace

std::string PrintProfile(const data::TableProfile& profile) {
  std::string text =
      fmt::format("{} rows, {} columns, {}{} duplicate rows\n\n", PrintCount(profile.row_count),
                  profile.columns.size(), profile.are_duplicates_exact ? "" : "about ",
                  PrintCount(profile.duplicate_row_count));
  size_t width = 6;
  for (const data::ColumnProfile& column : profile.columns)
    width = std::max(width, Shorten(column.name).size());
  text += fmt::format("{:<{}}  {:<9}  {:>8}  {:>10}  values\n", "column", width, "type", "missing",
                      "distinct");
  for (const data::ColumnProfile& column : profile.columns) {
    double missing = column.row_count == 0 ? 0
                                           : 100.0 * static_cast<double>(column.null_count) /
                                                 static_cast<double>(column.row_count);
    std::string distinct = (column.is_distinct_exact ? "" : "~") +
                           PrintCount(static_cast<int64_t>(column.distinct_count));
    text += fmt::format("{:<{}}  {:<9}  {:>7.2f}%  {:>10}  {}\n", Shorten(column.name), width,
                        data::ColumnTypeName(column.type), missing, distinct, Extent(column));
  }
  return text;
}

std::string PrintFindings(const data::Findings& findings) {
  std::string text;
  for (const data::Finding& finding : findings.findings) {
    text += fmt::format("{:<8} {}\n", data::SeverityName(finding.severity), finding.message);
    for (const data::Finding::Sample& sample : finding.samples) {
      text += fmt::format("           row {}: {}\n", sample.row, Shorten(sample.value));
    }
  }
  return text + fmt::format("{} rows, {} checks, {} errors, {} warnings\n",
                            PrintCount(findings.row_count), PrintCount(findings.check_count),
                            findings.error_count(), findings.warning_count());
}

}  // namespace sluice::app
