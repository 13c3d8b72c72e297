// Validating a table against its schema: findings instead of exceptions, all of them in one go.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/schema.h"
#include "formats/json.h"

namespace arrow {
class Table;
}

namespace sluice::data {

/// One broken check.
struct Finding {
  struct Sample {
    int64_t row = 0;    ///< from zero, in the table
    std::string value;  ///< as FormatCell prints it, cut at 200 bytes; "a | b" for several columns
    friend bool operator==(const Sample&, const Sample&) = default;
  };
  std::string check;  ///< a name from Checks()
  Severity severity = Severity::kError;
  std::string column;  ///< empty for a check of the table; names joined by ", " for a key or rule
  formats::Json measured;  ///< what the table has: smallest value, share of nulls, row count, first
                           ///< bad text ...
  formats::Json limit;     ///< what the schema wants
  int64_t failing_row_count = 0;
  std::vector<Sample> samples;  ///< the first five failing rows
  std::string message;          ///< one sentence for a person
};

struct Findings {
  int64_t row_count = 0;
  int64_t check_count = 0;        ///< checks that were made, passed or not
  std::vector<Finding> findings;  ///< in the order of the schema: table, columns, keys, rules

  int64_t error_count() const;
  int64_t warning_count() const;
  bool ok() const { return error_count() == 0; }
};

/// The table holds the six canonical types. Pure, single pass per check; O(rows × checks), unique
/// keys O(rows) memory. A column of the wrong type gets one finding and no further checks, except
/// that int64 passes for double. Errors: kInvalidArgument if the table has two columns of one name
/// or a type `table` never hands out. Broken checks are findings, never errors.
Result<Findings> Validate(const arrow::Table& table, const Schema& schema);

/// findings.json:
///
///   {"version": 1, "kind": "findings", "row_count": n, "check_count": n, "error_count": n,
///   "warning_count": n,
///    "findings": [{"check": "min", "severity": "error", "column": "age", "measured": -3, "limit":
///    0,
///                  "failing_row_count": 7, "samples": [{"row": 12, "value": "-3"}], "message":
///                  "..."}]}
formats::Json FindingsToJson(const Findings& findings);
/// Errors: kInvalidArgument naming the key that is missing or wrong.
Result<Findings> FindingsFromJson(const formats::Json& json);

/// One kind of check, for documentation and for completing schema files.
struct CheckInfo {
  std::string_view name;   ///< as in findings; also the key in a schema where it is written
  std::string_view level;  ///< "column" or "table"
  std::string_view help;   ///< one sentence
};
std::span<const CheckInfo> Checks();

}  // namespace sluice::data
