// The rows of one series lie together, ordered by (timestamp, step, is NaN, value): a history is
// one scan of a piece of an index. NaN is stored as 0 with a flag, and MLflow sorts it as that 0;
// so for the few series that hold NaN (a partial index knows them) the database sorts points of
// equal timestamp and step anew, which needs no memory beyond those.
#include "tracking/metric_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "tracking/internal/sampling.h"
#include "tracking/internal/sql_store.h"
#include "tracking/internal/values.h"

namespace sluice::tracking {
namespace {

using internal::ComesBeforeByStep;
using internal::SampledPositions;
using sql::Query;
using sql::Reader;
using sql::Row;

#define SLUICE_FIND_SERIES(IS_SERVER)                             \
  "SELECT s.series_id, EXISTS (SELECT 1 FROM metric_points p "    \
  "WHERE p.series_id = s.series_id AND p.is_nan = 1), " IS_SERVER \
  " FROM runs r "                                                 \
  "JOIN metric_series s ON s.run_no = r.run_no WHERE r.run_id = $1 AND s.key = $2"
constexpr Query kFindSeries{"tracking.find_metric_series", SLUICE_FIND_SERIES("0"),
                            SLUICE_FIND_SERIES("1")};
#undef SLUICE_FIND_SERIES

/// A statement's worth of rows, so that no engine has to hold a whole history.
constexpr int64_t kScanCount = 50'000;

struct Series {
  int64_t id = 0;
  bool has_nan = false;
  bool is_on_server = false;  ///< rows that are not needed had better stay there
};

struct StepRange {
  int64_t first = std::numeric_limits<int64_t>::min();
  int64_t last = std::numeric_limits<int64_t>::max();
};

Result<std::optional<Series>> FindSeries(Reader& reader, std::string_view run_id,
                                         std::string_view key) {
  return reader.FindOne(kFindSeries, {run_id, key}, [](const Row& row) {
    return Series{row.GetInt64(0), row.GetBool(1), row.GetBool(2)};
  });
}

/// A place in a history: a page begins behind it. As a token:
/// "<timestamp>:<step>:<is nan>:<bits of the value in hex>".
struct PointEnd {
  int64_t timestamp_ms = 0;
  int64_t step = 0;
  bool is_nan = false;
  double value = 0;  ///< 0 if is_nan

  explicit PointEnd(const MetricPoint& point)
      : timestamp_ms(point.timestamp_ms),
        step(point.step),
        is_nan(std::isnan(point.value)),
        value(is_nan ? 0.0 : point.value) {}

  std::string ToToken() const {
    return fmt::format("{}:{}:{}:{:x}", timestamp_ms, step, is_nan ? 1 : 0,
                       std::bit_cast<uint64_t>(value));
  }
  static Result<PointEnd> FromToken(std::string_view token) {
    MetricPoint point;
    int is_nan = 0;
    uint64_t bits = 0;
    const char* at = token.data();
    const char* stop = token.data() + token.size();
    auto take = [&](auto& value, int base) {
      auto [parsed, error] = std::from_chars(at, stop, value, base);
      if (error != std::errc()) return false;
      at = parsed;
      return true;
    };
    auto colon = [&] { return at != stop && *at++ == ':'; };
    bool is_good = take(point.timestamp_ms, 10) && colon() && take(point.step, 10) && colon() &&
                   take(is_nan, 10) && colon() && take(bits, 16) && at == stop &&
                   (is_nan == 0 || is_nan == 1) && !std::isnan(std::bit_cast<double>(bits));
    if (!is_good) {
      return InvalidArgument(
          fmt::format("Invalid page token '{}': it is none of a metric's history", token));
    }
    point.value =
        is_nan == 1 ? std::numeric_limits<double>::quiet_NaN() : std::bit_cast<double>(bits);
    return PointEnd(point);
  }
};

MetricPoint PointFromRow(const Row& row) {
  return {.value = row.GetBool(2) ? std::numeric_limits<double>::quiet_NaN() : row.GetDouble(3),
          .timestamp_ms = row.GetInt64(0),
          .step = row.GetInt64(1)};
}

/// The points of a series within a range of steps, with their values bound: "FROM ... WHERE ...".
std::string FromPoints(const Series& series, const StepRange& range, internal::Values& values) {
  std::string text = " FROM metric_points WHERE series_id = " + values.Bind(series.id);
  if (range.first != StepRange().first) text += " AND step >= " + values.Bind(range.first);
  if (range.last != StepRange().last) text += " AND step <= " + values.Bind(range.last);
  return text;
}

/// In time, as a history is read; see the head of the file.
std::string_view TimeOrder(const Series& series) {
  return series.has_nan ? "timestamp_ms, step, value, is_nan" : "timestamp_ms, step, is_nan, value";
}
/// As ComesBeforeByStep.
constexpr std::string_view kStepOrder = "step, timestamp_ms, value, is_nan";
constexpr std::string_view kReverseStepOrder =
    "step DESC, timestamp_ms DESC, value DESC, is_nan DESC";

/// Calls `visit` for the first `max_count` points behind `after` and within the range of steps, in
/// order; see the head of the file.
Status Scan(Reader& reader, const Series& series, const StepRange& range,
            std::optional<PointEnd> after, int64_t max_count,
            const std::function<void(const MetricPoint&)>& visit) {
  while (max_count > 0) {
    int64_t wanted_count = std::min(max_count, kScanCount);
    internal::Values values;
    std::string text =
        "SELECT timestamp_ms, step, is_nan, value" + FromPoints(series, range, values);
    if (after) {
      std::string place = values.Bind(after->timestamp_ms) + ", " + values.Bind(after->step);
      std::string is_nan = values.Bind(after->is_nan);
      std::string value = values.Bind(after->value);
      text += series.has_nan
                  ? fmt::format(
                        " AND (timestamp_ms, step) >= ({}) AND (timestamp_ms, step, value, "
                        "is_nan) > ({}, {}, {})",
                        place, place, value, is_nan)
                  : fmt::format(" AND (timestamp_ms, step, is_nan, value) > ({}, {}, {})", place,
                                is_nan, value);
    }
    text += fmt::format(" ORDER BY {} LIMIT {}", TimeOrder(series), values.Bind(wanted_count));
    int64_t found_count = 0;
    MetricPoint point;
    RETURN_IF_ERROR(reader.ForEach(Query{"tracking.scan_metric_history", text}, values.params(),
                                   [&](const Row& row) {
                                     point = PointFromRow(row);
                                     ++found_count;
                                     visit(point);
                                     return Ok();
                                   }));
    if (found_count < wanted_count) break;
    after = PointEnd(point);
    max_count -= found_count;
  }
  return Ok();
}

Status CheckRunIds(std::string_view call, size_t count) {
  if (count == 0) {
    return InvalidArgument(fmt::format("{} request must specify at least one run_id.", call));
  }
  if (count <= MetricHistory::kRunsPerCall) return Ok();
  return InvalidArgument(
      fmt::format("{} request cannot specify more than {} run_ids. Received {} run_ids.", call,
                  MetricHistory::kRunsPerCall, count));
}

/// Where steps go back in time, the ends of a sample in time may be others than those of the
/// history.
std::vector<MetricPoint> SortedWithEnds(std::vector<MetricPoint> sample, const MetricPoint& first,
                                        const MetricPoint& last) {
  std::sort(sample.begin(), sample.end(), ComesBeforeByStep);
  if (sample.size() > 1) sample.front() = first;
  if (!sample.empty()) sample.back() = last;
  return sample;
}

Result<MetricPoint> FirstPoint(Reader& reader, const Series& series, const StepRange& range,
                               std::string_view order) {
  internal::Values values;
  const std::string text =
      fmt::format("SELECT timestamp_ms, step, is_nan, value{} ORDER BY {} LIMIT 1",
                  FromPoints(series, range, values), order);
  ASSIGN_OR_RETURN(auto point, reader.FindOne(Query{"tracking.find_end_of_history", text},
                                              values.params(), PointFromRow));
  return point.value_or(MetricPoint{});
}

/// The same sample as Sample's, picked by the database: SampledPositions in SQL.
Result<std::vector<MetricPoint>> SampleOnServer(Reader& reader, const Series& series,
                                                const StepRange& range, int64_t max_count,
                                                size_t sorted_point_count) {
  internal::Values counted;
  const std::string count_text = "SELECT COUNT(*)" + FromPoints(series, range, counted);
  ASSIGN_OR_RETURN(auto count,
                   reader.FindOne(Query{"tracking.count_points", count_text}, counted.params(),
                                  [](const Row& row) { return row.GetInt64(0); }));
  const int64_t point_count = count.value_or(0);
  if (point_count == 0) return std::vector<MetricPoint>();
  const bool is_by_step = static_cast<size_t>(point_count) <= sorted_point_count;
  const int64_t part_count = std::min(point_count, max_count);
  const int64_t part_size = point_count / part_count;
  const int64_t larger_count = point_count % part_count;
  // Where the larger parts end, and where the last part begins.
  const int64_t larger_end = larger_count * (part_size + 1);
  const int64_t last_start = larger_end + (part_count - 1 - larger_count) * part_size;
  internal::Values values;
  const std::string points = FromPoints(series, range, values);
  const std::string_view order = is_by_step ? kStepOrder : TimeOrder(series);
  const std::string last = values.Bind(point_count - 1);
  const std::string last_part = values.Bind(last_start);
  const std::string smaller_parts = values.Bind(larger_end);
  const std::string larger_size = values.Bind(part_size + 1);
  const std::string larger_parts = values.Bind(larger_count);
  const std::string smaller_size = values.Bind(part_size);
  const std::string text = fmt::format(
      "SELECT timestamp_ms, step, is_nan, value FROM (SELECT timestamp_ms, step, is_nan, value, "
      "row_number() OVER (ORDER BY {}) - 1 AS i{}) AS p WHERE i = {} OR (i < {} AND "
      "CASE WHEN i < {} THEN i % {} ELSE (i - {}) % {} END = 0) ORDER BY i",
      order, points, last, last_part, smaller_parts, larger_size, larger_parts, smaller_size);
  ASSIGN_OR_RETURN(
      std::vector<MetricPoint> sample,
      reader.FindAll(Query{"tracking.sample_metric_history", text}, values.params(), PointFromRow));
  if (is_by_step) return sample;
  ASSIGN_OR_RETURN(const MetricPoint front, FirstPoint(reader, series, range, kStepOrder));
  ASSIGN_OR_RETURN(const MetricPoint back, FirstPoint(reader, series, range, kReverseStepOrder));
  return SortedWithEnds(std::move(sample), front, back);
}

/// The sample of one series: see MetricHistory::ForEachSampled. One scan collects the points until
/// they are too many to sort; then it only counts them, and a second scan picks.
Result<std::vector<MetricPoint>> Sample(Reader& reader, const Series& series,
                                        const StepRange& range, int64_t max_count,
                                        size_t sorted_point_count) {
  if (series.is_on_server)
    return SampleOnServer(reader, series, range, max_count, sorted_point_count);
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  std::vector<MetricPoint> points;
  MetricPoint first;
  MetricPoint last;
  int64_t point_count = 0;
  RETURN_IF_ERROR(Scan(reader, series, range, {}, kAll, [&](const MetricPoint& point) {
    if (point_count == 0 || ComesBeforeByStep(point, first)) first = point;
    if (point_count == 0 || !ComesBeforeByStep(point, last)) last = point;
    if (static_cast<size_t>(point_count) < sorted_point_count) points.push_back(point);
    ++point_count;
  }));
  const std::vector<int64_t> positions = SampledPositions(point_count, max_count);
  std::vector<MetricPoint> sample;
  sample.reserve(positions.size());
  if (points.size() == static_cast<size_t>(point_count)) {
    if (!std::is_sorted(points.begin(), points.end(), ComesBeforeByStep))
      std::sort(points.begin(), points.end(), ComesBeforeByStep);
    for (int64_t position : positions) sample.push_back(points[static_cast<size_t>(position)]);
    return sample;
  }
  points.clear();
  int64_t position = 0;
  RETURN_IF_ERROR(Scan(reader, series, range, {}, kAll, [&](const MetricPoint& point) {
    if (sample.size() < positions.size() && positions[sample.size()] == position)
      sample.push_back(point);
    ++position;
  }));
  return SortedWithEnds(std::move(sample), first, last);
}

}  // namespace

Result<std::string> MetricHistory::ForEachPoint(const HistoryRequest& request,
                                                const Visitor& visit) const {
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max() - 1;
  if (request.max_count && *request.max_count < 1) {
    return InvalidArgument(
        fmt::format("Invalid value {} for parameter 'max_results' supplied. It "
                    "must be a positive integer.",
                    *request.max_count));
  }
  const int64_t max_count = std::min(request.max_count.value_or(kAll), kAll);
  std::optional<PointEnd> after;
  if (!request.page_token.empty()) {
    ASSIGN_OR_RETURN(after, PointEnd::FromToken(request.page_token));
  }
  // Kept outside of the transaction: it may be repeated, and goes on behind what was visited.
  int64_t count = 0;
  MetricPoint last;
  return db_.Read([&](Reader& reader) -> Result<std::string> {
    ASSIGN_OR_RETURN(auto series, FindSeries(reader, request.run_id, request.key));
    if (!series) return std::string();
    if (count > 0) after = PointEnd(last);
    // One more than the page, to know whether there is a next.
    RETURN_IF_ERROR(
        Scan(reader, *series, {}, after, max_count + 1 - count, [&](const MetricPoint& point) {
          if (count < max_count) {
            last = point;
            visit(point);
          }
          ++count;
        }));
    return count > max_count ? PointEnd(last).ToToken() : std::string();
  });
}

Status MetricHistory::ForEachOfRuns(const BulkHistoryRequest& request,
                                    const RunVisitor& visit) const {
  RETURN_IF_ERROR(CheckRunIds("GetMetricHistoryBulk", request.run_ids.size()));
  std::set<std::string_view> run_ids(request.run_ids.begin(), request.run_ids.end());
  // Kept outside of the transaction: it may be repeated, and goes on behind what was visited.
  auto run = run_ids.begin();
  std::optional<PointEnd> after;
  int64_t rest_count = std::min(request.max_count, kBulkPointCount);
  return db_.Read([&](Reader& reader) -> Status {
    for (; run != run_ids.end() && rest_count > 0; ++run, after.reset()) {
      ASSIGN_OR_RETURN(auto series, FindSeries(reader, *run, request.key));
      if (!series) continue;
      RETURN_IF_ERROR(Scan(reader, *series, {}, after, rest_count, [&](const MetricPoint& point) {
        after = PointEnd(point);
        --rest_count;
        visit(*run, point);
      }));
    }
    return Ok();
  });
}

Status MetricHistory::ForEachSampled(const SampledHistoryRequest& request,
                                     const RunVisitor& visit) const {
  RETURN_IF_ERROR(CheckRunIds("GetMetricHistoryBulkInterval", request.run_ids.size()));
  if (request.max_count < 1 || request.max_count > kSampledPointCount) {
    return InvalidArgument(
        fmt::format("max_results must be between 1 and {}.", kSampledPointCount));
  }
  if (request.start_step.has_value() != request.end_step.has_value()) {
    return InvalidArgument(
        "If either start step or end step are specified, both must be specified.");
  }
  StepRange range;
  if (request.start_step) range = {*request.start_step, *request.end_step};
  if (range.first > range.last) {
    return InvalidArgument(fmt::format(
        "end_step must be greater than start_step. Found start_step={} and end_step={}.",
        range.first, range.last));
  }
  // Kept outside of the transaction: it may be repeated, and goes on behind what was visited.
  auto run_id = request.run_ids.begin();
  return db_.Read([&](Reader& reader) -> Status {
    for (; run_id != request.run_ids.end(); ++run_id) {
      ASSIGN_OR_RETURN(auto series, FindSeries(reader, *run_id, request.key));
      if (!series) continue;
      ASSIGN_OR_RETURN(std::vector<MetricPoint> sample,
                       Sample(reader, *series, range, request.max_count, sorted_point_count_));
      for (const MetricPoint& point : sample) visit(*run_id, point);
    }
    return Ok();
  });
}

namespace internal {

Result<MetricPage> SqlStore::GetMetricHistory(std::string_view run_id, std::string_view key,
                                              size_t max_count, std::string_view page_token) {
  MetricPage page;
  HistoryRequest request{.run_id = run_id,
                         .key = key,
                         .max_count = static_cast<int64_t>(max_count),
                         .page_token = page_token};
  ASSIGN_OR_RETURN(page.next_token,
                   MetricHistory(db_).ForEachPoint(request, [&](const MetricPoint& point) {
                     page.metrics.push_back({.key = std::string(key),
                                             .value = point.value,
                                             .timestamp_ms = point.timestamp_ms,
                                             .step = point.step});
                   }));
  return page;
}

}  // namespace internal
}  // namespace sluice::tracking
