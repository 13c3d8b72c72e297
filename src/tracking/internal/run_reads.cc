#include "tracking/internal/run_reads.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "tracking/internal/rules.h"
#include "tracking/internal/run_rows.h"

namespace sluice::tracking::internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using Kind = RunField::Kind;

constexpr std::string_view kOfListSqlite = "IN (SELECT value FROM json_each({}))";
constexpr std::string_view kOfListPostgres = "= ANY(CAST(translate({}, '[]', '{{}}') AS BIGINT[]))";

/// A set of runs comes as one text while there are no more runs than this: one row costs less than
/// many, on a server above all, and takes some bytes for each run until it is read.
constexpr int64_t kJoinedRunsMax = 1'000'000;

/// "1,2,3", or null.
Status AddAll(const Row& row, RunSet& set) {
  if (row.IsNull(0)) return Ok();
  std::string_view text = row.GetTextView(0);
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    int64_t run_no = 0;
    auto [stop, error] = std::from_chars(at, end, run_no);
    if (error != std::errc()) return DataLoss("a list of runs holds something else");
    set.Add(run_no);
    at = stop == end ? end : stop + 1;
  }
  return Ok();
}

template <typename T>
int CompareValues(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

int Compare(const OrderValue& a, const OrderValue& b, bool is_ascending) {
  if (a.rank != b.rank) return CompareValues(a.rank, b.rank);
  if (a.rank != OrderValue::kValue) return 0;
  int order = CompareValues(a.number, b.number);
  if (order == 0) order = CompareValues(a.integer, b.integer);
  if (order == 0) order = a.text.compare(b.text);
  return is_ascending ? order : -order;
}

RunReads::Both RunReads::ExperimentTest(SqlText& sql, std::string_view column) const {
  if (experiment_ids_.size() == 1) {
    std::string text = fmt::format("{} = {}", column, sql.Bind(experiment_ids_[0]));
    return {text, text};
  }
  std::string list = sql.BindCopy(NumberList(experiment_ids_));
  return {fmt::format("{} {}", column, fmt::format(fmt::runtime(kOfListSqlite), list)),
          fmt::format("{} {}", column, fmt::format(fmt::runtime(kOfListPostgres), list))};
}

Status RunReads::Scan(const RunCondition& condition, std::optional<size_t> max_count,
                      const std::function<void(int64_t)>& visit) {
  SqlText sql;
  Both experiment = ExperimentTest(sql, condition.experiment_id());
  std::string test = condition.Loose(sql);
  std::string doubt = condition.Doubt();
  std::string limit = max_count ? " LIMIT " + sql.Bind(*max_count) : "";
  auto text_of = [&](const std::string& experiment_test) {
    return fmt::format("SELECT {}{}{} FROM {} WHERE {} AND {}{}", condition.run_no(),
                       doubt.empty() ? "" : ", ", doubt, condition.tables(), experiment_test, test,
                       limit);
  };
  std::string text = text_of(experiment.sqlite);
  std::string postgres = text_of(experiment.postgres);
  std::vector<int64_t> doubtful;
  RETURN_IF_ERROR(
      reader_.ForEach(Query{"tracking.find_runs", text, postgres}, sql.params, [&](const Row& row) {
        if (!doubt.empty() && row.GetBool(1)) {
          doubtful.push_back(row.GetInt64(0));
        } else {
          visit(row.GetInt64(0));
        }
        return Ok();
      }));
  ASSIGN_OR_RETURN(std::vector<int64_t> proven, Filter(condition, doubtful));
  for (int64_t run_no : proven) visit(run_no);
  return Ok();
}

Result<std::optional<std::vector<int64_t>>> RunReads::FindUpTo(const RunCondition& condition,
                                                               size_t max_count) {
  // A limit cuts doubtful rows too, so one beyond it says "more" even if all of them fall away.
  std::vector<int64_t> found;
  size_t row_count = 0;
  RETURN_IF_ERROR(Scan(condition, max_count + 1, [&](int64_t run_no) {
    found.push_back(run_no);
    ++row_count;
  }));
  if (row_count > max_count) return std::optional<std::vector<int64_t>>();
  return std::optional(std::move(found));
}

Result<RunSet> RunReads::FindAll(const RunCondition& condition) {
  RunSet set;
  ASSIGN_OR_RETURN(int64_t run_count, EstimateRunCount());
  if (!condition.Doubt().empty() || run_count > kJoinedRunsMax) {
    RETURN_IF_ERROR(Scan(condition, std::nullopt, [&](int64_t run_no) { set.Add(run_no); }));
    return set;
  }
  SqlText sql;
  Both experiment = ExperimentTest(sql, condition.experiment_id());
  std::string from = fmt::format("{} WHERE ", condition.tables());
  std::string test = " AND " + condition.Loose(sql);
  std::string text = fmt::format("SELECT group_concat({}, ',') FROM {}{}{}", condition.run_no(),
                                 from, experiment.sqlite, test);
  std::string postgres = fmt::format("SELECT string_agg(CAST({} AS TEXT), ',') FROM {}{}{}",
                                     condition.run_no(), from, experiment.postgres, test);
  RETURN_IF_ERROR(reader_.ForEach(Query{"tracking.find_all_runs", text, postgres}, sql.params,
                                  [&](const Row& row) { return AddAll(row, set); }));
  return set;
}

Result<std::vector<int64_t>> RunReads::Filter(const RunCondition& condition,
                                              std::span<const int64_t> run_nos) {
  std::vector<int64_t> left;
  if (run_nos.empty()) return left;
  SqlText sql;
  std::string list = sql.BindCopy(NumberList(run_nos));
  std::string test = condition.Exact(sql);
  auto text_of = [&](std::string_view of_list) {
    return fmt::format("SELECT {} FROM {} WHERE {} {} AND {}", condition.run_no(),
                       condition.tables(), condition.run_no(),
                       fmt::format(fmt::runtime(of_list), list), test);
  };
  std::string text = text_of(kOfListSqlite);
  std::string postgres = text_of(kOfListPostgres);
  std::unordered_set<int64_t> proven;
  RETURN_IF_ERROR(reader_.ForEach(Query{"tracking.filter_runs", text, postgres}, sql.params,
                                  [&](const Row& row) {
                                    proven.insert(row.GetInt64(0));
                                    return Ok();
                                  }));
  for (int64_t run_no : run_nos) {
    if (proven.contains(run_no)) left.push_back(run_no);
  }
  return left;
}

Result<RunSet> RunReads::FindByStage(int64_t stage_min, int64_t stage_max) {
  SqlText sql;
  Both experiment = ExperimentTest(sql, "experiment_id");
  std::string test =
      fmt::format("stage >= {} AND stage <= {}", sql.Bind(stage_min), sql.Bind(stage_max));
  auto text_of = [&](const std::string& experiment_test) {
    return fmt::format("SELECT run_no FROM runs WHERE {} AND {}", experiment_test, test);
  };
  std::string text = text_of(experiment.sqlite);
  std::string postgres = text_of(experiment.postgres);
  RunSet set;
  RETURN_IF_ERROR(reader_.ForEach(Query{"tracking.find_runs_by_stage", text, postgres}, sql.params,
                                  [&](const Row& row) {
                                    set.Add(row.GetInt64(0));
                                    return Ok();
                                  }));
  return set;
}

Result<int64_t> RunReads::EstimateRunCount() {
  static constexpr Query kMaxRunNo{"tracking.max_run_no", "SELECT MAX(run_no) FROM runs"};
  if (!run_count_) {
    ASSIGN_OR_RETURN(
        auto max, reader_.FindOne(kMaxRunNo, {}, [](const Row& row) { return row.FindInt64(0); }));
    run_count_ = max ? max->value_or(0) : 0;
  }
  return *run_count_;
}

std::string ValueColumns(const RunField& field) {
  switch (field.kind) {
    case Kind::kMetric: return field.column == "value" ? "value, is_nan" : field.column;
    case Kind::kParam:
    case Kind::kTag: return "value";
    default: return field.column;
  }
}

OrderValue ValueFrom(const Row& row, int column, const RunField& field) {
  OrderValue value;
  switch (field.kind) {
    case Kind::kMetric: {
      bool is_nan = field.column == "value" ? row.GetBool(column + 1) : row.IsNull(column);
      value.rank = is_nan ? OrderValue::kNan : OrderValue::kValue;
      if (!is_nan) value.number = row.GetDouble(column);
      return value;
    }
    case Kind::kTime:
      if (row.IsNull(column)) return value;
      value.rank = OrderValue::kValue;
      value.integer = row.GetInt64(column);
      return value;
    case Kind::kStatus:
      value.rank = OrderValue::kValue;
      value.text = RunStatusName(static_cast<RunStatus>(row.GetInt64(column)));
      return value;
    default:
      value.rank = OrderValue::kValue;
      value.text = row.GetText(column);
      return value;
  }
}

bool IsKeyed(const RunField& field) {
  return field.kind == Kind::kMetric || field.kind == Kind::kParam || field.kind == Kind::kTag;
}

std::string_view TableOf(const RunField& field) {
  return field.kind == Kind::kMetric  ? "metric_series"
         : field.kind == Kind::kParam ? "params"
         : field.kind == Kind::kTag   ? "tags"
                                      : "runs";
}

Result<std::vector<std::vector<OrderValue>>> RunReads::LoadValues(
    std::span<const RunOrder> orders, std::span<const int64_t> run_nos) {
  std::vector<std::vector<OrderValue>> values(run_nos.size(),
                                              std::vector<OrderValue>(orders.size()));
  std::unordered_map<int64_t, size_t> places;
  for (size_t i = 0; i < run_nos.size(); ++i) places.emplace(run_nos[i], i);
  const std::string list = NumberList(run_nos);

  // The fields that stand in the run's own row come in one query.
  std::vector<size_t> own;
  std::string own_columns = "run_no";
  for (size_t j = 0; j < orders.size(); ++j) {
    const RunField& field = orders[j].field;
    if (!IsKeyed(field)) {
      own.push_back(j);
      own_columns += ", " + field.column;
      continue;
    }
    SqlText sql;
    std::string bound_list = sql.Bind(list);
    auto text_of = [&](std::string_view of_list) {
      return fmt::format("SELECT run_no, {} FROM {} WHERE run_no {} AND key = $2",
                         ValueColumns(field), TableOf(field),
                         fmt::format(fmt::runtime(of_list), bound_list));
    };
    sql.Bind(field.key);
    std::string text = text_of(kOfListSqlite);
    std::string postgres = text_of(kOfListPostgres);
    RETURN_IF_ERROR(reader_.ForEach(
        Query{"tracking.load_values", text, postgres}, sql.params, [&](const Row& row) {
          values[places.at(row.GetInt64(0))][j] = ValueFrom(row, 1, field);
          return Ok();
        }));
  }
  if (own.empty()) return values;
  auto text_of = [&](std::string_view of_list) {
    return fmt::format("SELECT {} FROM runs WHERE run_no {}", own_columns,
                       fmt::format(fmt::runtime(of_list), "$1"));
  };
  std::string text = text_of(kOfListSqlite);
  std::string postgres = text_of(kOfListPostgres);
  RETURN_IF_ERROR(reader_.ForEach(
      Query{"tracking.load_own_values", text, postgres}, {list}, [&](const Row& row) {
        std::vector<OrderValue>& mine = values[places.at(row.GetInt64(0))];
        for (size_t i = 0; i < own.size(); ++i)
          mine[own[i]] = ValueFrom(row, static_cast<int>(i) + 1, orders[own[i]].field);
        return Ok();
      }));
  return values;
}

}  // namespace sluice::tracking::internal
