// What the values of JSON Lines mean as values of columns.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/canonical.h"
#include "table/internal/json_line.h"
#include "table/internal/value_rules.h"

namespace sluice::table::internal {

/// Beside the kinds of value_rules.h: an object or an array.
inline constexpr KindSet kNestedKind = 128;

/// Numbers, and strings that hold values of other types, are read by the rules for text. Pure and
/// thread-safe.
class JsonCells {
 public:
  /// Room that one caller keeps from cell to cell.
  struct Scratch {
    std::string unescaped;
    std::string padded;
  };

  explicit JsonCells(ValueRules rules)
      : rules_(std::move(rules)), string_rules_(ValueRules::ForJsonStrings()) {}

  KindSet Kind(const JsonCell& cell, Scratch& scratch) const;

  /// Whether the cell (not null) can become a value of a type that the user gave.
  bool Fits(const JsonCell& cell, ColumnType type, Scratch& scratch) const {
    Converted ignored;
    return Convert(cell, type, /*is_given=*/true, ignored, scratch);
  }

  /// All cells are null or fit (CHECK). Errors: what Arrow says, such as no memory.
  Result<std::shared_ptr<arrow::Array>> MakeColumn(const std::vector<JsonCell>& cells,
                                                   ColumnType type, bool is_given) const;

 private:
  struct Converted {
    bool truth = false;
    int64_t integer = 0;  // int64 and timestamp
    double number = 0;
    int32_t days = 0;
  };

  /// False if the cell (not null) cannot become a value of `type`; else it is in the variable of
  /// that type.
  bool Convert(const JsonCell& cell, ColumnType type, bool is_given, Converted& out,
               Scratch& scratch) const;

  const ValueRules rules_;
  const ValueRules string_rules_;
};

}  // namespace sluice::table::internal
