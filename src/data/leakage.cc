#include "data/leakage.h"

#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "base/suggest.h"
#include "data/internal/checks/check_kind.h"
#include "data/internal/column_reader.h"

namespace sluice::data {

namespace {

using internal::CellView;
using internal::ColumnReader;
using internal::CompareViews;
using internal::FailingRows;
using internal::IsNan;
using internal::IsNull;

/// A part with what is compared: a hash of each row, its group and its times.
struct Side {
  const NamedPart* part = nullptr;
  std::vector<ColumnReader> columns;  ///< those that are compared
  std::vector<uint64_t> row_hashes;
  std::optional<ColumnReader> group;
  std::vector<uint64_t> group_hashes;
  std::optional<ColumnReader> time;
};

Status CheckColumnNames(const NamedPart& part, const LeakageOptions& options) {
  std::vector<std::string> names = part.table->ColumnNames();
  std::vector<std::string> wanted = options.ignored_columns;
  if (!options.group_column.empty()) wanted.push_back(options.group_column);
  if (!options.time_column.empty()) wanted.push_back(options.time_column);
  for (const std::string& name : wanted) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    return InvalidArgument(
        fmt::format("part '{}' has no column '{}'{}", part.name, name, DidYouMean(name, names)));
  }
  return Ok();
}

Result<Side> ReadSide(const NamedPart& part, const LeakageOptions& options) {
  RETURN_IF_ERROR(CheckColumnNames(part, options));
  Side side;
  side.part = &part;
  for (const std::string& name : part.table->ColumnNames()) {
    const std::vector<std::string>& ignored = options.ignored_columns;
    if (std::find(ignored.begin(), ignored.end(), name) != ignored.end()) continue;
    ASSIGN_OR_RETURN(ColumnReader column, internal::ReadColumn(*part.table, name));
    side.columns.push_back(std::move(column));
  }
  side.row_hashes = internal::HashRows(side.columns);
  if (!options.group_column.empty()) {
    ASSIGN_OR_RETURN(side.group, internal::ReadColumn(*part.table, options.group_column));
    side.group_hashes = internal::HashRows({*side.group});
  }
  if (!options.time_column.empty()) {
    ASSIGN_OR_RETURN(side.time, internal::ReadColumn(*part.table, options.time_column));
  }
  return side;
}

std::string FormatRow(const Side& side, int64_t row) {
  constexpr size_t kMaxShownBytes = 200;
  std::string text;
  for (const ColumnReader& column : side.columns) {
    text += (text.empty() ? "" : " | ") + internal::FormatView(column.At(row), column.type());
    if (text.size() > kMaxShownBytes) return text + " ...";
  }
  return text;
}

void AddFinding(Finding finding, LeakageReport& report) {
  report.findings.findings.push_back(std::move(finding));
}

void CompareRows(const Side& earlier, const Side& later, const LeakageOptions& options,
                 LeakageReport::Pair& pair, LeakageReport& report) {
  if (later.columns.empty()) return;
  ++report.findings.check_count;
  std::unordered_set<uint64_t> known(earlier.row_hashes.begin(), earlier.row_hashes.end());
  FailingRows shared;
  for (size_t i = 0; i < later.row_hashes.size(); ++i) {
    auto row = static_cast<int64_t>(i);
    if (known.contains(later.row_hashes[i])) shared.Add(row, [&] { return FormatRow(later, row); });
  }
  pair.shared_row_count = shared.count;
  pair.shared_row_share =
      static_cast<double>(shared.count) / static_cast<double>(later.row_hashes.size());
  if (shared.count == 0) return;
  Finding finding = internal::MakeFinding(
      "shared_rows", options.duplicate_severity, "", std::move(shared),
      static_cast<int64_t>(later.row_hashes.size()),
      fmt::format("'{}' has rows that stand in '{}' too:", pair.later, pair.earlier));
  finding.measured = pair.shared_row_share;
  finding.limit = 0.0;
  AddFinding(std::move(finding), report);
}

/// Rows without a group belong to none.
void CompareGroups(const Side& earlier, const Side& later, const LeakageOptions& options,
                   LeakageReport::Pair& pair, LeakageReport& report) {
  if (!later.group) return;
  ++report.findings.check_count;
  std::unordered_set<uint64_t> known;
  earlier.group->ForEach([&](int64_t row, const CellView& view) {
    if (!IsNull(view)) known.insert(earlier.group_hashes[static_cast<size_t>(row)]);
  });
  FailingRows shared;
  std::unordered_set<uint64_t> shared_groups;
  later.group->ForEach([&](int64_t row, const CellView& view) {
    uint64_t hash = later.group_hashes[static_cast<size_t>(row)];
    if (IsNull(view) || !known.contains(hash)) return;
    shared_groups.insert(hash);
    shared.Add(row, [&] { return internal::FormatView(view, later.group->type()); });
  });
  pair.shared_group_count = static_cast<int64_t>(shared_groups.size());
  if (shared.count == 0) return;
  Finding finding = internal::MakeFinding(
      "shared_groups", Severity::kError, options.group_column, std::move(shared),
      later.group->row_count(),
      fmt::format("{} groups of column '{}' are in both '{}' and '{}':", shared_groups.size(),
                  options.group_column, pair.earlier, pair.later));
  finding.measured = pair.shared_group_count;
  finding.limit = int64_t{0};
  AddFinding(std::move(finding), report);
}

/// Rows of the later part that lie before the earlier part's end. Equal times are an overlap too.
void CompareTimes(const Side& earlier, const Side& later, const LeakageOptions& options,
                  const LeakageReport::Pair& pair, LeakageReport& report) {
  if (!later.time || !IsOrdered(later.time->type())) return;
  ++report.findings.check_count;
  CellView end;
  earlier.time->ForEach([&](int64_t, const CellView& view) {
    if (!IsNull(view) && !IsNan(view) && (IsNull(end) || CompareViews(view, end) > 0)) end = view;
  });
  if (IsNull(end)) return;
  FailingRows overlapping;
  CellView begin;
  later.time->ForEach([&](int64_t row, const CellView& view) {
    if (IsNull(view) || IsNan(view) || CompareViews(view, end) > 0) return;
    if (IsNull(begin) || CompareViews(view, begin) < 0) begin = view;
    overlapping.Add(row, [&] { return internal::FormatView(view, later.time->type()); });
  });
  if (overlapping.count == 0) return;
  Finding finding = internal::MakeFinding(
      "time_overlap", Severity::kError, options.time_column, std::move(overlapping),
      later.time->row_count(),
      fmt::format("'{}' begins before '{}' ends ({}):", pair.later, pair.earlier,
                  internal::FormatView(end, earlier.time->type())));
  finding.measured = CellToJson(internal::ToCell(begin), later.time->type());
  finding.limit = CellToJson(internal::ToCell(end), earlier.time->type());
  AddFinding(std::move(finding), report);
}

Status CheckSameColumns(const std::vector<NamedPart>& parts) {
  for (const NamedPart& part : parts) {
    if (part.table->schema()->Equals(*parts.front().table->schema(), /*check_metadata=*/false))
      continue;
    return InvalidArgument(
        fmt::format("parts '{}' and '{}' have different columns", parts.front().name, part.name));
  }
  return Ok();
}

}  // namespace

Result<LeakageReport> FindLeakage(const std::vector<NamedPart>& parts,
                                  const LeakageOptions& options) {
  RETURN_IF_ERROR(CheckSameColumns(parts));
  LeakageReport report;
  std::vector<Side> sides;
  for (const NamedPart& part : parts) {
    ASSIGN_OR_RETURN(Side side, ReadSide(part, options));
    report.findings.row_count += part.table->num_rows();
    if (part.table->num_rows() > 0) sides.push_back(std::move(side));
  }
  for (size_t i = 0; i < sides.size(); ++i) {
    for (size_t j = i + 1; j < sides.size(); ++j) {
      LeakageReport::Pair pair;
      pair.earlier = sides[i].part->name;
      pair.later = sides[j].part->name;
      CompareRows(sides[i], sides[j], options, pair, report);
      CompareGroups(sides[i], sides[j], options, pair, report);
      CompareTimes(sides[i], sides[j], options, pair, report);
      report.pairs.push_back(std::move(pair));
    }
  }
  return report;
}

formats::Json LeakageToJson(const LeakageReport& report) {
  using formats::Json;
  Json pairs = Json::MakeArray();
  for (const LeakageReport::Pair& pair : report.pairs) {
    pairs.Append(Json::MakeObject({{"earlier", pair.earlier},
                                   {"later", pair.later},
                                   {"shared_row_count", pair.shared_row_count},
                                   {"shared_row_share", pair.shared_row_share},
                                   {"shared_group_count", pair.shared_group_count}}));
  }
  Json findings = FindingsToJson(report.findings);
  return Json::MakeObject({{"version", 1},
                           {"kind", "leakage"},
                           {"pairs", std::move(pairs)},
                           {"row_count", findings.At("row_count")},
                           {"check_count", findings.At("check_count")},
                           {"error_count", findings.At("error_count")},
                           {"warning_count", findings.At("warning_count")},
                           {"findings", findings.At("findings")}});
}

}  // namespace sluice::data
