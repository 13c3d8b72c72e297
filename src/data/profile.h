// The profile of a table: one pass over the data, statistics of every column, equal bytes for any
// thread count.
//
// How exact it is (n: non-null values of the column):
//
//   counts, nulls, min, max, lengths   exact
//   moments, correlations              double precision: two passes within a slice of rows, slices
//                                      merged in order (P. Pébay, "Formulas for robust, one-pass
//                                      parallel computation of covariances and arbitrary-order
//                                      statistical moments", 2008)
//   everything else, while the column  exact
//     has at most kExactDistinctCount
//     distinct values
//   beyond that, distinct              HyperLogLog (2^14 registers; O. Ertl's estimator, 2017),
//                                      standard error 0.8 %
//   quantiles, histogram, top values   exact for the first kSampleFullRows rows; with more, from a
//                                      stratified sample: ranks and counts have a standard
//                                      deviation of at most 0.2 % of n
//   duplicate rows                     by 64-bit hash; exact up to the limit in the options
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/cell.h"
#include "formats/json.h"

namespace arrow {
class RecordBatch;
class Schema;
class Table;
}  // namespace arrow

namespace sluice::data {

inline constexpr int64_t kProfileBlockRows = 16'384;
inline constexpr int64_t kSampleFullRows = 65'536;
inline constexpr int64_t kExactDistinctCount = 4'096;
/// The shares at which quantiles are given.
inline constexpr std::array<double, 13> kQuantileShares = {
    0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1};

struct ProfileOptions {
  size_t top_value_count = 10;
  size_t histogram_bin_count = 30;      ///< at most; edges are round numbers
  size_t max_correlation_columns = 40;  ///< the first so many numeric columns
  int64_t exact_duplicate_row_limit = int64_t{1}
                                      << 24;  ///< 8 bytes each; beyond it, rows are sampled by hash
};

/// Of the finite values of an int64 or double column (dates and timestamps: in days and
/// microseconds).
struct NumericStatistics {
  int64_t finite_count = 0;
  int64_t nan_count = 0;
  int64_t positive_infinity_count = 0;
  int64_t negative_infinity_count = 0;
  int64_t zero_count = 0;
  int64_t negative_count = 0;
  double sum = 0;
  double mean = 0;      ///< NaN if there is no finite value
  double variance = 0;  ///< of a sample (n - 1), as pandas; NaN below two values
  double standard_deviation = 0;
  double skewness =
      0;  ///< adjusted Fisher-Pearson, as pandas; NaN below three values, 0 if constant
  double kurtosis = 0;  ///< excess, bias-corrected, as pandas; NaN below four values, 0 if constant
};

struct TextStatistics {
  int64_t min_length = 0;  ///< Unicode characters
  int64_t max_length = 0;
  double mean_length = 0;
  int64_t empty_count = 0;   ///< ""
  int64_t blank_count = 0;   ///< white space only, not empty
  int64_t padded_count = 0;  ///< begins or ends with a blank, blank ones included
};

/// Equal-width bins over the bulk of the values; far outliers are counted beside it, so that the
/// picture stays useful.
struct Histogram {
  std::vector<double>
      edges;  ///< counts.size() + 1, ascending; bin i is [edges[i], edges[i+1]), the last closed
  std::vector<int64_t> counts;
  int64_t below_count = 0;
  int64_t above_count = 0;
};

struct TopValue {
  Cell value{};
  int64_t count = 0;
};

struct ColumnProfile {
  std::string name;
  ColumnType type = ColumnType::kString;
  int64_t row_count = 0;
  int64_t null_count = 0;
  double distinct_count = 0;  ///< nulls not counted; a whole number
  bool is_distinct_exact = true;
  Cell min;  ///< monostate if there is no value; NaN never, infinities do count; text in byte order
  Cell max;
  std::optional<NumericStatistics> numeric;  ///< int64, double, date, timestamp
  std::optional<TextStatistics> text;        ///< string
  int64_t true_count = 0;                    ///< bool
  /// At kQuantileShares, interpolated between neighbours as numpy and pandas do (dates and
  /// timestamps: the lower neighbour). Finite values only. Empty for string and bool.
  std::vector<Cell> quantiles;
  bool are_quantiles_exact = true;
  std::optional<Histogram> histogram;  ///< where numeric has a finite value
  std::vector<TopValue> top_values;    ///< most frequent first, ties by value; nulls not counted
  bool are_top_values_exact = true;
  bool is_constant = false;  ///< one distinct value, no nulls; or only nulls
  bool is_likely_id =
      false;  ///< int64 or string, no nulls, all values differ (as far as the sketch can tell)
  bool is_likely_category =
      false;  ///< string, bool or int64 with few values that come again and again
};

struct TableProfile {
  int64_t row_count = 0;
  int64_t memory_size_bytes = 0;    ///< as uncompressed Arrow columns
  int64_t duplicate_row_count = 0;  ///< rows that have an equal one before them
  bool are_duplicates_exact = true;
  std::vector<ColumnProfile> columns;
  std::vector<std::string> correlation_columns;  ///< int64, double and bool columns
  /// Pearson, row by row, over the rows in which both are finite; NaN where one is constant.
  /// Symmetric.
  std::vector<std::vector<double>> correlations;
};

/// Takes the blocks of a table in any order, from any threads, and merges them in block order.
/// Thread-safe.
///
///     TableProfiler profiler(schema);                        // canonical types
///     profiler.Add(block_index, batch);                      // every index from 0 once; any
///     thread Result<TableProfile> profile = std::move(profiler).Finish(thread_count);
///
/// Equal blocks give equal profiles to the bit. Memory: one block's sums per column and block that
/// waits for an earlier one (about 100 kB per column), 8 bytes a row for duplicates, and the sample
/// (logarithmic in rows).
class TableProfiler {
 public:
  /// Errors: kInvalidArgument for a column type `table` never hands out.
  static Result<std::unique_ptr<TableProfiler>> Create(const arrow::Schema& schema,
                                                       ProfileOptions options = {});
  ~TableProfiler();

  /// `batch` has the schema's columns (CHECK).
  void Add(int64_t block_index, const arrow::RecordBatch& batch);
  /// Call once, after all blocks. CHECK: no block is missing.
  TableProfile Finish(size_t thread_count);

 private:
  struct State;
  explicit TableProfiler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Profiles a table in blocks of kProfileBlockRows on up to `thread_count` threads. Errors: as
/// TableProfiler::Create.
Result<TableProfile> ProfileTable(const arrow::Table& table, size_t thread_count = 1,
                                  const ProfileOptions& options = {});

/// profile.json. Dates and timestamps are ISO texts; NaN is null.
///
///   {"version": 1, "kind": "profile", "row_count": n, "column_count": n, "memory_size_bytes": n,
///    "duplicate_rows": {"count": n, "share": x, "is_exact": b},
///    "columns": [{"name": s, "type": s, "count": non-null, "null_count": n, "null_share": x,
///                 "distinct": {"count": n, "is_exact": b, "relative_error": 0 or 0.0081},
///                 "min": v, "max": v, "flags": ["constant", "likely_id", "likely_category"],
///                 "numeric": {"finite_count", "nan_count", "positive_infinity_count",
///                 "negative_infinity_count",
///                             "zero_count", "negative_count", "sum", "mean", "variance",
///                             "standard_deviation", "skewness", "kurtosis"} (int64 and double
///                             only)
///                 "mean": ISO text                                          (date and timestamp
///                 only) "text": {"min_length", "max_length", "mean_length", "empty_count",
///                 "blank_count", "padded_count"}, "bool": {"true_count", "false_count"},
///                 "quantiles": {"is_exact": b, "rank_error": 0 or 0.002, "values": [{"share":
///                 0.5, "value": v}]}, "histogram": {"edges": [v], "counts": [n], "below_count": n,
///                 "above_count": n, "is_exact": b}, "top": {"is_exact": b, "values": [{"value": v,
///                 "count": n, "share": of rows}]}}],
///    "correlations": {"columns": [s], "pearson": [[x]]}}
///
/// Absent members do not apply to the column's type or have no value.
formats::Json ProfileToJson(const TableProfile& profile);

}  // namespace sluice::data
