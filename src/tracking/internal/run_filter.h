// From the text of a filter and of orders to what the database is asked: conditions on one column
// each, joined by AND, OR and NOT.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/filter.h"
#include "sql/db.h"
#include "tracking/run.h"

namespace sluice::tracking::internal {

/// A statement being put together, with its bound values.
struct SqlText {
  std::string text;
  std::vector<sql::Param> params;
  std::deque<std::string> copies;

  /// The value's placeholder: "$1", "$2", ...
  std::string Bind(sql::Param value) {
    params.push_back(value);
    return "$" + std::to_string(params.size());
  }
  /// Bind borrows texts; this one keeps it.
  std::string BindCopy(std::string value) { return Bind(copies.emplace_back(std::move(value))); }
};

/// Where a value of a run is kept.
struct RunField {
  enum class Kind : uint8_t {
    kMetric,          ///< `key` and `column`: value, min_value or max_value
    kParam,           ///< `key`
    kTag,             ///< `key`
    kText,            ///< `column` of runs: user_id, run_id, artifact_uri
    kStatus,          ///< of runs; compared and ordered by name
    kTime,            ///< `column` of runs: start_ms, end_ms
    kDataset,         ///< `column` of the datasets a run read: name, digest
    kDatasetContext,  ///< tag mlflow.data.context of the link
  };
  Kind kind = Kind::kText;
  std::string key;
  std::string column;

  bool is_number() const { return kind == Kind::kMetric || kind == Kind::kTime; }
  friend bool operator==(const RunField&, const RunField&) = default;
};

/// "This field compares so", of the value as the database holds it.
struct RunCondition {
  enum class Test : uint8_t {
    kCompare,  ///< `comparator` and the values; in kStatus the values are codes already
    kPresent,  ///< there is a value; of a metric: NaN too
    kIsNan,    ///< of a metric
    kNumber,   ///< of a metric: there is a value and it is not NaN
  };
  RunField field;
  Test test = Test::kCompare;
  formats::Comparator comparator = formats::Comparator::kEqual;
  std::vector<std::string> texts;
  std::vector<double> numbers;
  std::vector<int64_t> integers;

  /// The FROM clause, and the names in it of the run's number and experiment.
  std::string_view tables() const;
  std::string_view run_no() const;
  std::string_view experiment_id() const;

  /// The condition as SQL.
  std::string Exact(SqlText& sql) const;
  /// One that an index answers alone, where the exact one needs the whole of a long text: it holds
  /// where Exact does and where Doubt does. Doubt: "" if there is none.
  std::string Loose(SqlText& sql) const;
  std::string Doubt() const;
};

/// A tree as formats::FilterNode; IS NULL has become NOT of kPresent.
struct RunFilterNode {
  formats::FilterNode::Kind kind = formats::FilterNode::Kind::kCondition;
  RunCondition condition;
  std::vector<RunFilterNode> children;
};

/// Splits the filter at its topmost ANDs: all of these must hold; none: everything does. Errors:
/// kInvalidArgument in MLflow's words, with the place. Asks the database only what a name like
/// metrics.x.min means: a metric of this very name in one of the experiments comes first.
Result<std::vector<RunFilterNode>> CompileRunFilter(sql::Reader& reader, std::string_view text,
                                                    std::span<const int64_t> experiment_ids);

struct RunOrder {
  RunField field;
  bool is_ascending = true;
  friend bool operator==(const RunOrder&, const RunOrder&) = default;
};

/// The clauses, then start time (newest first) unless it is among them, then the run's id. Errors:
/// kInvalidArgument, also for a field that comes twice.
Result<std::vector<RunOrder>> CompileRunOrders(sql::Reader& reader,
                                               std::span<const std::string> clauses,
                                               std::span<const int64_t> experiment_ids);

/// As many characters of a text as its head in an index holds (migrations/0022_search.sql).
inline constexpr size_t kHeadLength = 200;

}  // namespace sluice::tracking::internal
