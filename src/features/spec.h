// What a person declares about features: which column is the label, which go, and the chain of
// operations for each of the others. Parsing only; the data decides the rest in FeatureGraph::Fit.
// All functions here are pure.
//
//   label: defaulted              # optional; left out, the graph has features only
//   task: auto                    # auto | classification | regression
//   positive: "yes"               # binary labels: the class whose probability is predicted;
//   default the last sorted missing_label: error          # error | drop: rows without a label
//   weight: exposure              # optional numeric column of sample weights; never a feature
//   drop: [id, comment]
//   columns:
//     income: [impute: median, clip: [1%, 99%], log, scale: standard]
//     purpose: [one_hot: {unknown: ignore, rare: 1%}]
//   default:                      # for columns not named; the value `drop` leaves them out
//     numeric: [impute: median]   # built in: keep
//     text: [one_hot]             # built in: one_hot
//     date: [date]                # built in: date
//     bool: [keep]                # built in: keep
//
// docs: OpHelp() lists every operation with its options; docs/reference/features.md is written from
// it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::features {

enum class TaskChoice : uint8_t { kAuto, kClassification, kRegression };

/// One operation as written: name and argument (null when it had none).
struct OpSpec {
  std::string name;
  formats::Json argument;
};

/// The operations of one column, first to last. `is_dropped` columns have no operations and give no
/// features.
struct ChainSpec {
  std::vector<OpSpec> ops;
  bool is_dropped = false;
};

struct FeatureSpec {
  std::string label;  ///< empty: none
  TaskChoice task = TaskChoice::kAuto;
  std::string positive;  ///< empty: not given
  bool drops_rows_without_label = false;
  std::string weight;  ///< empty: none
  std::vector<std::string> drop;
  std::vector<std::pair<std::string, ChainSpec>> columns;
  ChainSpec numeric_default, text_default, date_default, bool_default;

  /// Reads the object above (the `features` step's parameters without `uses` and the inputs; any
  /// other key is an error with a suggestion). Operation names and the shape of their arguments are
  /// checked here. Errors: kInvalidArgument naming the key, and for operations the column and the
  /// operation.
  static Result<FeatureSpec> FromJson(const formats::Json& json);
};

/// One row of the table of operations.
struct OpHelp {
  std::string_view name;
  std::string_view takes;     ///< "numbers", "numbers or text", "dates", "anything"
  std::string_view argument;  ///< how it is written
  std::string_view help;
};
/// Every operation, in the order in which the reference lists them.
const std::vector<OpHelp>& OpHelps();

/// Most operations in one chain, and most features that a graph may give.
inline constexpr size_t kMaxOpsPerChain = 32;
inline constexpr int64_t kMaxFeatureCount = 100'000;
/// Most categories of one column that one_hot makes into features; `rare`, `max_categories` and
/// `hash` keep below it.
inline constexpr int64_t kMaxOneHotCategories = 10'000;

}  // namespace sluice::features
