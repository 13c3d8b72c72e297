// All checks. A new one is a function in internal/checks/ and a row here.
#include <arrow/table.h>
#include <fmt/format.h>

#include <set>

#include "data/check.h"
#include "data/internal/checks/check_kind.h"

namespace sluice::data {

namespace {

using internal::ColumnCheck;
using internal::TableCheck;

template <typename Check>
struct Row {
  std::string_view name;
  Check check;
  std::string_view help;
};

constexpr Row<TableCheck> kShapeChecks[] = {
    {"min_rows", internal::CheckMinRows, "rows: {min: n}: the table has at least n rows."},
    {"max_rows", internal::CheckMaxRows, "rows: {max: n}: the table has at most n rows."},
    {"extra_columns", internal::CheckExtraColumns,
     "Every column of the table is named in the schema."},
    {"required", internal::CheckRequired, "The column is there; on unless required: false."},
    {"type", internal::CheckType, "The column has the stated type; int64 passes for double."},
};

constexpr Row<ColumnCheck> kColumnChecks[] = {
    {"nullable", internal::CheckNullable, "nullable: false: no value is null."},
    {"max_null_share", internal::CheckNullShare,
     "At most this share of the rows is null, as 0.05 or 5%."},
    {"min", internal::CheckMin,
     "No value is smaller; also for dates, timestamps and (by bytes) text."},
    {"max", internal::CheckMax, "No value is greater."},
    {"allowed", internal::CheckAllowed, "Every value is one of the list."},
    {"pattern", internal::CheckPatternMatch, "The whole text matches the RE2 expression."},
    {"min_length", internal::CheckMinLength, "No text has fewer Unicode characters."},
    {"max_length", internal::CheckMaxLength, "No text has more Unicode characters."},
    {"unique", internal::CheckUnique, "No value stands in two rows."},
    {"finite", internal::CheckFinite, "No number is NaN or infinite."},
};

constexpr Row<TableCheck> kRelationChecks[] = {
    {"primary_key", internal::CheckPrimaryKey, "The columns together are unique and never null."},
    {"unique_key", internal::CheckUniqueKeys,
     "unique: [[a, b]]: no two rows are alike in these columns."},
    {"rule", internal::CheckRules,
     "A comparison such as start <= end holds in every row without nulls."},
};

/// int64 passes for double: a column of whole numbers is inferred as int64.
bool IsUsable(ColumnType found, ColumnType wanted) {
  return found == wanted || (found == ColumnType::kInt64 && wanted == ColumnType::kDouble);
}

}  // namespace

Result<Findings> Validate(const arrow::Table& table, const Schema& schema) {
  std::set<std::string> names;
  for (const std::string& name : table.ColumnNames()) {
    if (!names.insert(name).second)
      return InvalidArgument(fmt::format("the table has two columns '{}'", name));
  }
  std::map<std::string, internal::ColumnReader, std::less<>> columns;
  for (const ColumnSchema& column : schema.columns) {
    if (!names.contains(column.name)) continue;
    ASSIGN_OR_RETURN(internal::ColumnReader reader, internal::ReadColumn(table, column.name));
    if (IsUsable(reader.type(), column.type)) columns.emplace(column.name, std::move(reader));
  }
  Findings findings;
  findings.row_count = table.num_rows();
  internal::FindingSink sink(findings);
  internal::TableContext context{table, schema, columns};
  for (const Row<TableCheck>& row : kShapeChecks) row.check(context, row.name, sink);
  for (const ColumnSchema& column : schema.columns) {
    const internal::ColumnReader* reader = context.Find(column.name);
    if (reader == nullptr) continue;
    for (const Row<ColumnCheck>& row : kColumnChecks) row.check({column, *reader}, row.name, sink);
  }
  for (const Row<TableCheck>& row : kRelationChecks) row.check(context, row.name, sink);
  return findings;
}

std::span<const CheckInfo> Checks() {
  static const std::vector<CheckInfo> kInfos = [] {
    std::vector<CheckInfo> infos;
    for (const auto& row : kShapeChecks) infos.push_back({row.name, "table", row.help});
    for (const auto& row : kColumnChecks) infos.push_back({row.name, "column", row.help});
    for (const auto& row : kRelationChecks) infos.push_back({row.name, "table", row.help});
    return infos;
  }();
  return kInfos;
}

int64_t Findings::error_count() const {
  int64_t count = 0;
  for (const Finding& finding : findings) count += finding.severity == Severity::kError ? 1 : 0;
  return count;
}

int64_t Findings::warning_count() const {
  return static_cast<int64_t>(findings.size()) - error_count();
}

}  // namespace sluice::data
