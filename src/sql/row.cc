#include "sql/row.h"

#include <fmt/format.h>

#include "base/check.h"

namespace sluice::sql {
namespace {

std::string_view TypeName(ColumnType type) {
  switch (type) {
    case ColumnType::kNull: return "NULL";
    case ColumnType::kInteger: return "an integer";
    case ColumnType::kDouble: return "a double";
    case ColumnType::kText: return "text";
  }
  return "unknown";
}

}  // namespace

ColumnType Row::TypeOf(int column) const {
  CHECK_MSG(column >= 0 && column < cursor_.column_count(),
            fmt::format("query {}: column {} of {}", query_name_, column, cursor_.column_count()));
  return cursor_.TypeOf(column);
}

void Row::Mismatch(int column, std::string_view wanted) const {
  if (mismatch_) return;
  mismatch_ = DataLoss(fmt::format("query {}: column {} holds {} where {} is expected", query_name_,
                                   column, TypeName(TypeOf(column)), wanted));
}

Status Row::status() const { return mismatch_ ? Status(*mismatch_) : Ok(); }

bool Row::IsNull(int column) const { return TypeOf(column) == ColumnType::kNull; }

int64_t Row::GetInt64(int column) const {
  if (TypeOf(column) == ColumnType::kInteger) return cursor_.Int64(column);
  Mismatch(column, "an integer");
  return 0;
}

double Row::GetDouble(int column) const {
  ColumnType type = TypeOf(column);
  if (type == ColumnType::kDouble) return cursor_.Double(column);
  if (type == ColumnType::kInteger) return static_cast<double>(cursor_.Int64(column));
  Mismatch(column, "a number");
  return 0;
}

std::string_view Row::GetTextView(int column) const {
  if (TypeOf(column) == ColumnType::kText) return cursor_.Text(column);
  Mismatch(column, "text");
  return {};
}

std::optional<int64_t> Row::FindInt64(int column) const {
  if (IsNull(column)) return std::nullopt;
  return GetInt64(column);
}

std::optional<double> Row::FindDouble(int column) const {
  if (IsNull(column)) return std::nullopt;
  return GetDouble(column);
}

std::optional<std::string> Row::FindText(int column) const {
  if (IsNull(column)) return std::nullopt;
  return GetText(column);
}

}  // namespace sluice::sql
