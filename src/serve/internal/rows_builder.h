// From the loosely typed cells of a request to Arrow columns of the signature's types.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "model/signature.h"

namespace sluice::serve::internal {

/// One value as the request has it. `text` points into the request.
struct Cell {
  enum class Kind : uint8_t { kMissing, kBool, kInteger, kDouble, kText, kNested };
  Kind kind = Kind::kMissing;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string_view text = {};

  static Cell Of(const formats::Json& json);
};

/// Collects values column by column, converting each as MLflow's pandas would where nothing is lost
/// by it:
///
///     double    numbers, booleans (1 and 0), text that is a number as Python's float() reads it
///     int64     integers, doubles that are whole, booleans, text that is an integer
///     string    text; integers, doubles and booleans as Python's str() prints them
///     bool      booleans, 0 and 1, text "true", "True", "TRUE", "1" and their opposites
///     timestamp ISO 8601 text; with an offset it is brought to UTC. Never numbers: nobody knows
///     their unit. date      the same, if the time of day is midnight
///
/// A missing value (null, NaN) is taken by every column but the required ones of int64 and bool.
/// Where MLflow cuts 2.5 to 2 or makes false of null, this is an error instead. One thread at a
/// time.
class RowsBuilder {
 public:
  /// `signature` must outlive this.
  explicit RowsBuilder(const model::Signature& signature);

  /// Adds one value to column `input`. False, with nothing added, if the column does not take it.
  bool Append(size_t input, const Cell& cell);
  /// Why Append said no, in MLflow's words: "Failed to convert column age to type 'int64'. Error:
  /// '...'".
  Error ConversionError(size_t input, const Cell& cell) const;

  /// All columns have `row_count` values (CHECK). Call once.
  std::shared_ptr<arrow::RecordBatch> Finish(int64_t row_count);

 private:
  struct Column {
    std::vector<uint8_t> bits;   // bool: one byte a value, packed by Finish
    std::vector<int32_t> days;   // date; of text the offsets
    std::vector<int64_t> longs;  // int64, timestamp
    std::vector<double> doubles;
    std::string chars;  // of all texts
    std::vector<uint8_t> is_valid;
    int64_t missing_count = 0;
  };
  bool AppendMissing(size_t input);
  static std::shared_ptr<arrow::ArrayData> FinishColumn(model::ColumnType type, Column column);

  const model::Signature& signature_;
  std::vector<Column> columns_;
};

}  // namespace sluice::serve::internal
