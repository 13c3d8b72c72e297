// What a check is: a pure function from a column or a table, and its schema, to findings.
// data/checks.cc lists them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/check.h"
#include "data/internal/column_reader.h"

namespace sluice::data::internal {

/// Collects findings and counts the checks that were made.
class FindingSink {
 public:
  explicit FindingSink(Findings& findings) : findings_(findings) {}
  /// A check was made; `failed` tells how it went.
  void CountCheck() { ++findings_.check_count; }
  void Add(Finding finding) { findings_.findings.push_back(std::move(finding)); }

 private:
  Findings& findings_;
};

/// How many rows fail, and the first of them.
struct FailingRows {
  static constexpr size_t kSampleCount = 5;
  int64_t count = 0;
  std::vector<Finding::Sample> samples;

  /// `format` gives the sample's text; it is called for the first few rows only.
  template <typename Format>
  void Add(int64_t row, Format&& format) {
    if (samples.size() < kSampleCount) samples.push_back({row, format()});
    ++count;
  }
};

/// A column that is there and has its type (or int64 where double is wanted).
struct ColumnContext {
  const ColumnSchema& schema;
  const ColumnReader& reader;
};

struct TableContext {
  const arrow::Table& table;
  const Schema& schema;
  /// Columns of the schema that are there with a usable type.
  const std::map<std::string, ColumnReader, std::less<>>& columns;

  const ColumnReader* Find(std::string_view name) const {
    auto at = columns.find(name);
    return at == columns.end() ? nullptr : &at->second;
  }
};

using ColumnCheck = void (*)(const ColumnContext& context, std::string_view name,
                             FindingSink& sink);
using TableCheck = void (*)(const TableContext& context, std::string_view name, FindingSink& sink);

/// A finding with its sentence, "<what>: <count> of <rows> rows (<share>), first in row <row>:
/// '<value>'".
Finding MakeFinding(std::string_view check, Severity severity, std::string column, FailingRows rows,
                    int64_t row_count, std::string_view what);

// The checks, one file each in this folder.
void CheckNullable(const ColumnContext& context, std::string_view name, FindingSink& sink);
void CheckNullShare(const ColumnContext& context, std::string_view name, FindingSink& sink);
void CheckMin(const ColumnContext& context, std::string_view name, FindingSink& sink);
void CheckMax(const ColumnContext& context, std::string_view name, FindingSink& sink);
void CheckAllowed(const ColumnContext& context, std::string_view name, FindingSink& sink);
void CheckPatternMatch(const ColumnContext& context, std::string_view name, FindingSink& sink);
void CheckMinLength(const ColumnContext& context, std::string_view name, FindingSink& sink);
void CheckMaxLength(const ColumnContext& context, std::string_view name, FindingSink& sink);
void CheckUnique(const ColumnContext& context, std::string_view name, FindingSink& sink);
void CheckFinite(const ColumnContext& context, std::string_view name, FindingSink& sink);

void CheckMinRows(const TableContext& context, std::string_view name, FindingSink& sink);
void CheckMaxRows(const TableContext& context, std::string_view name, FindingSink& sink);
void CheckExtraColumns(const TableContext& context, std::string_view name, FindingSink& sink);
void CheckRequired(const TableContext& context, std::string_view name, FindingSink& sink);
void CheckType(const TableContext& context, std::string_view name, FindingSink& sink);
void CheckPrimaryKey(const TableContext& context, std::string_view name, FindingSink& sink);
void CheckUniqueKeys(const TableContext& context, std::string_view name, FindingSink& sink);
void CheckRules(const TableContext& context, std::string_view name, FindingSink& sink);

/// Rows whose values in `columns` stood in an earlier row. Rows with a null are skipped. Exact:
/// equal hashes are compared value by value.
FailingRows FindRepeatedRows(const std::vector<const ColumnReader*>& columns);

}  // namespace sluice::data::internal
