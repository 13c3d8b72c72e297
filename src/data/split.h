// Splitting the rows of a table into train, validation and test. Pure: row numbers in, row numbers
// out, decided by the data, the options and the seed alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace arrow {
class Table;
}

namespace sluice::data {

enum class SplitMethod : uint8_t {
  kRandom,      ///< every row alike
  kStratified,  ///< shares hold within each value of `column` (a label); a null is a value of its
                ///< own
  kGrouped,  ///< all rows with one value of `column` go to one part; rows with a null are an error
  kTime,     ///< by value of `column` (any ordered type): the oldest train, the newest test; equal
             ///< times stay together
  kHash,     ///< by hash of `column` and the salt: a key keeps its part when rows are added
};
/// "random", "stratified", "grouped", "time", "hash": persisted in pipeline files.
std::string_view SplitMethodName(SplitMethod method);
/// Errors: kInvalidArgument with the known names and the nearest.
Result<SplitMethod> ParseSplitMethod(std::string_view name);

/// How much of the table a part gets: a share of its rows, or a number of rows.
struct PartSize {
  double share = 0;       ///< in [0, 1)
  int64_t row_count = 0;  ///< used if `is_count`
  bool is_count = false;

  /// "20%", "0.2" or "5000"; "1" is one row and "1.0" is refused. Errors: kInvalidArgument naming
  /// the text.
  static Result<PartSize> Parse(std::string_view text);
};

struct SplitOptions {
  SplitMethod method = SplitMethod::kRandom;
  std::string column;  ///< label, group, time or key; unused by kRandom
  PartSize test{.share = 0.2};
  PartSize validation;  ///< nothing by default
  uint64_t seed = 0;    ///< unused by kTime and kHash
  std::string salt;     ///< kHash only: another salt, another split
};

/// Row numbers of the three parts, each ascending. Disjoint; together all rows of the table.
struct Parts {
  std::vector<int64_t> train;
  std::vector<int64_t> validation;
  std::vector<int64_t> test;
};

/// Sizes: a share is rounded to the nearest row (half up) for kRandom. kStratified divides each
/// class by shares with the largest remainder, so that every class and the whole are off by less
/// than one row where that is possible. kGrouped takes groups in seeded order until a part is as
/// full as it gets (off by at most half the group that crosses the line). kTime cuts at the row
/// where the share is reached and moves the cut so that equal times stay on the earlier side, or
/// the later one if that is nearer. kHash meets shares on average only, and takes no counts.
///
/// Errors: kInvalidArgument: unknown column (with the nearest name), a column type the method
/// cannot use, null or NaN time or group (with the count and the first row), shares that leave
/// nothing for training, more rows asked for than there are; kFailedPrecondition: a part that was
/// asked for stays empty, a class of fewer rows than parts (with the class).
Result<Parts> SplitRows(const arrow::Table& table, const SplitOptions& options);

/// The rows with these numbers, in this order. Errors: kInvalidArgument for a row number out of
/// range.
Result<std::shared_ptr<arrow::Table>> TakeRows(const std::shared_ptr<arrow::Table>& table,
                                               const std::vector<int64_t>& rows);

}  // namespace sluice::data
