// One row of a result, as typed columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/driver.h"

namespace sluice::sql {

/// The current row of a query, valid inside the callback that got it. Columns count from 0 (range:
/// CHECK). A value of another type than asked for gives 0 or "" and makes the whole query fail with
/// kDataLoss, naming query and column; so a FromRow function needs no error paths. Integers are
/// taken where doubles are asked for.
class Row {
 public:
  Row(const Cursor& cursor, std::string_view query_name)
      : cursor_(cursor), query_name_(query_name) {}

  bool IsNull(int column) const;
  int64_t GetInt64(int column) const;
  bool GetBool(int column) const { return GetInt64(column) != 0; }
  double GetDouble(int column) const;
  std::string GetText(int column) const { return std::string(GetTextView(column)); }
  std::string_view GetTextView(int column) const;
  std::optional<int64_t> FindInt64(int column) const;
  std::optional<double> FindDouble(int column) const;
  std::optional<std::string> FindText(int column) const;

  /// The first mismatch met, if any.
  Status status() const;

 private:
  ColumnType TypeOf(int column) const;
  void Mismatch(int column, std::string_view wanted) const;

  const Cursor& cursor_;
  const std::string_view query_name_;
  mutable std::optional<Error> mismatch_;
};

}  // namespace sluice::sql
