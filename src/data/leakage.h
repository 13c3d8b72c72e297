// Does the test part know something of the training part? The checks that always follow a split.
// Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/check.h"
#include "formats/json.h"

namespace arrow {
class Table;
}

namespace sluice::data {

struct LeakageOptions {
  /// Left out when rows are compared: ids and whatever names a row rather than describes it.
  std::vector<std::string> ignored_columns;
  std::string group_column;  ///< if set: no value may be on two sides (error)
  std::string
      time_column;  ///< if set: a later part may not begin before an earlier one ends (error)
  Severity duplicate_severity = Severity::kWarning;
};

/// Parts in order: what is learnt from first. Names are used in messages; tables have equal
/// columns.
struct NamedPart {
  std::string name;
  std::shared_ptr<arrow::Table> table;
};

/// What was compared and what was found, for each pair of parts.
struct LeakageReport {
  struct Pair {
    std::string earlier;
    std::string later;
    int64_t shared_row_count = 0;    ///< rows of `later` that equal some row of `earlier`
    double shared_row_share = 0;     ///< of the rows of `later`
    int64_t shared_group_count = 0;  ///< distinct groups on both sides
  };
  std::vector<Pair> pairs;
  /// Checks "shared_rows", "shared_groups", "time_overlap"; samples are rows of the later part.
  Findings findings;
};

/// Rows are compared by 64-bit hash of all columns but the ignored ones, O(rows) memory. Parts
/// without rows are skipped. Errors: kInvalidArgument for unknown columns, or parts whose columns
/// differ.
Result<LeakageReport> FindLeakage(const std::vector<NamedPart>& parts,
                                  const LeakageOptions& options);

/// leakage.json: {"version": 1, "kind": "leakage", "pairs": [{"earlier", "later",
/// "shared_row_count", "shared_row_share", "shared_group_count"}], then the members of
/// findings.json from "check_count" on}.
formats::Json LeakageToJson(const LeakageReport& report);

}  // namespace sluice::data
