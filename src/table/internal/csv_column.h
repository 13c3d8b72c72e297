// One column of a region, from text straight into an Arrow array.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/internal/csv_rows.h"
#include "table/internal/value_rules.h"

namespace sluice::table::internal {

/// How a column is decoded.
struct ColumnPlan {
  std::string name;
  ColumnType type = ColumnType::kString;
  bool is_given = false;  ///< a value that does not fit makes its row a bad one; else it changes
                          ///< the column's type
  bool is_null_only = false;  ///< inferred so far: no value seen. The array is strings, all null.
};

struct DecodedColumn {
  std::shared_ptr<arrow::Array> array;
  /// Inferred columns: the type does not hold every value, and these are all the kinds there are.
  /// `array` is null.
  bool does_not_fit = false;
  KindSet kinds = kNoKind;
  /// Given columns: rows whose values do not fit.
  std::vector<uint32_t> bad_rows;
};

/// Decodes column `column` of `rows` in `text`, which needs 32 readable bytes behind it. Pure.
/// Errors: kResourceExhausted when memory or the 2 GiB of one string array do not suffice.
Result<DecodedColumn> DecodeColumn(std::string_view text, const CsvRows& rows, size_t column,
                                   const CsvSyntax& syntax, const ValueRules& rules,
                                   const ColumnPlan& plan);

/// The kinds of all values of a column.
KindSet FindKinds(std::string_view text, const CsvRows& rows, size_t column,
                  const CsvSyntax& syntax, const ValueRules& rules);

}  // namespace sluice::table::internal
