#include "tracking/internal/run_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <unordered_map>

namespace sluice::tracking::internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kGetKey{"tracking.get_run_key",
                        "SELECT run_no, experiment_id, stage FROM runs "
                        "WHERE run_id = $1 AND stage < 2"};
constexpr Query kMoveParams{"tracking.move_params",
                            "UPDATE params SET experiment_id = $2 WHERE run_no = $1"};
constexpr Query kMoveTags{"tracking.move_tags",
                          "UPDATE tags SET experiment_id = $2 WHERE run_no = $1"};
constexpr Query kMoveSeries{"tracking.move_metric_series",
                            "UPDATE metric_series SET experiment_id = $2 WHERE run_no = $1"};

constexpr Query kListRows{
    "tracking.list_runs_by_number",
    "SELECT run_no, run_id, experiment_id, name, user_id, status, start_ms, end_ms, artifact_uri, "
    "stage FROM runs WHERE run_no IN (SELECT value FROM json_each($1))",
    "SELECT run_no, run_id, experiment_id, name, user_id, status, start_ms, end_ms, artifact_uri, "
    "stage FROM runs WHERE run_no = ANY(CAST(translate($1, '[]', '{}') AS BIGINT[]))"};

// All that runs logged, a kind of row after the other: text or a metric. One statement, so that a
// run costs a server two round trips. The two engines differ in the list of runs only.
#define SLUICE_RUN_DATA(RUNS)                                                                     \
  "SELECT 0, run_no, key, value, CAST(NULL AS DOUBLE PRECISION), CAST(NULL AS BIGINT), "          \
  "CAST(NULL AS BIGINT), CAST(NULL AS BIGINT) FROM params WHERE run_no " RUNS                     \
  " UNION ALL SELECT 1, run_no, key, value, NULL, NULL, NULL, NULL FROM tags WHERE run_no " RUNS  \
  " UNION ALL SELECT 2, run_no, key, NULL, value, is_nan, timestamp_ms, step FROM metric_series " \
  "WHERE run_no " RUNS                                                                            \
  " UNION ALL SELECT 3, r.run_no, m.model_id, NULL, NULL, m.direction, NULL, m.step FROM runs r " \
  "JOIN model_links m ON m.run_id = r.run_id WHERE r.run_no " RUNS                                \
  " UNION ALL SELECT 4, r.run_no, '', NULL, NULL, NULL, NULL, NULL FROM runs r WHERE "            \
  "r.run_no " RUNS " AND EXISTS (SELECT 1 FROM dataset_links d WHERE d.run_id = r.run_id)"
constexpr Query kListData{"tracking.list_run_data",
                          SLUICE_RUN_DATA("IN (SELECT value FROM json_each($1))"),
                          SLUICE_RUN_DATA("= ANY(CAST(translate($1, '[]', '{}') AS BIGINT[]))")};
constexpr Query kListDataOfOne{"tracking.list_data_of_run", SLUICE_RUN_DATA("= $1")};
#undef SLUICE_RUN_DATA
enum Kind : int64_t { kParamRow, kTagRow, kMetricRow, kModelRow, kHasDatasetsRow };

constexpr Query kListLinks{
    "tracking.list_dataset_links",
    "SELECT l.run_id, l.direction, l.dataset_id, d.name, d.digest, d.source_type, d.source, "
    "d.schema_json, d.profile_json "
    "FROM dataset_links l JOIN datasets d ON d.dataset_id = l.dataset_id "
    "WHERE l.run_id IN (SELECT value FROM json_each($1)) ORDER BY l.run_id, d.name, d.digest",
    "SELECT l.run_id, l.direction, l.dataset_id, d.name, d.digest, d.source_type, d.source, "
    "d.schema_json, d.profile_json "
    "FROM dataset_links l JOIN datasets d ON d.dataset_id = l.dataset_id "
    "WHERE l.run_id = ANY(CAST(translate($1, '[]', '{}') AS TEXT[])) "
    "ORDER BY l.run_id, d.name, d.digest"};
constexpr Query kListLinkTags{
    "tracking.list_dataset_link_tags",
    "SELECT run_id, direction, dataset_id, key, value FROM dataset_link_tags "
    "WHERE run_id IN (SELECT value FROM json_each($1)) "
    "ORDER BY run_id, direction, dataset_id, key",
    "SELECT run_id, direction, dataset_id, key, value FROM dataset_link_tags "
    "WHERE run_id = ANY(CAST(translate($1, '[]', '{}') AS TEXT[])) "
    "ORDER BY run_id, direction, dataset_id, key"};

constexpr int64_t kInput = 0;

/// By key. Rows of one run come so from the engines already, as a rule.
template <typename T>
void SortByKey(std::vector<T>& values) {
  auto by_key = [](const T& a, const T& b) { return a.key < b.key; };
  if (!std::is_sorted(values.begin(), values.end(), by_key))
    std::sort(values.begin(), values.end(), by_key);
}

Status LoadDatasets(Reader& reader, std::span<Run* const> runs) {
  std::unordered_map<std::string_view, Run*> by_id;
  std::vector<std::string> ids;
  for (Run* run : runs) {
    by_id.emplace(run->info.run_id, run);
    ids.push_back(run->info.run_id);
  }
  struct LinkKey {
    Run* run;
    int64_t direction;
    int64_t dataset_id;
    auto operator<=>(const LinkKey&) const = default;
  };
  std::vector<std::pair<LinkKey, DatasetLink>> found;
  const std::string list = TextList(ids);
  RETURN_IF_ERROR(reader.ForEach(kListLinks, {list}, [&](const Row& row) {
    auto run = by_id.find(row.GetTextView(0));
    if (run == by_id.end()) return Ok();
    found.push_back({{run->second, row.GetInt64(1), row.GetInt64(2)},
                     {{.name = row.GetText(3),
                       .digest = row.GetText(4),
                       .source_type = row.GetText(5),
                       .source = row.GetText(6),
                       .schema = row.GetText(7),
                       .profile = row.GetText(8)},
                      {}}});
    return Ok();
  }));
  std::map<LinkKey, DatasetLink*> links;
  for (auto& [key, link] : found) links[key] = &link;
  RETURN_IF_ERROR(reader.ForEach(kListLinkTags, {list}, [&](const Row& row) {
    auto run = by_id.find(row.GetTextView(0));
    if (run == by_id.end()) return Ok();
    auto link = links.find({run->second, row.GetInt64(1), row.GetInt64(2)});
    if (link != links.end()) link->second->tags.push_back({row.GetText(3), row.GetText(4)});
    return Ok();
  }));
  for (auto& [key, link] : found)
    (key.direction == kInput ? key.run->inputs : key.run->outputs).push_back(std::move(link));
  return Ok();
}

}  // namespace

Result<RunKey> GetRunKeyIn(Reader& reader, std::string_view run_id) {
  ASSIGN_OR_RETURN(auto key, reader.FindOne(kGetKey, {run_id}, [](const Row& row) {
    return RunKey{row.GetInt64(0), row.GetInt64(1),
                  row.GetInt64(2) == 0 ? LifecycleStage::kActive : LifecycleStage::kDeleted};
  }));
  if (!key) return NotFound(fmt::format("Run with id={} not found", run_id));
  return *key;
}

Result<RunKey> GetActiveRunKeyIn(Reader& reader, std::string_view run_id) {
  ASSIGN_OR_RETURN(RunKey key, GetRunKeyIn(reader, run_id));
  if (key.stage == LifecycleStage::kDeleted) {
    return FailedPrecondition(
        fmt::format("The run {} must be in the 'active' state. Current state is deleted.", run_id));
  }
  return key;
}

Status MoveRunRowsIn(Tx& tx, int64_t run_no, int64_t experiment_id) {
  RETURN_IF_ERROR(tx.Post(kMoveParams, {run_no, experiment_id}));
  RETURN_IF_ERROR(tx.Post(kMoveTags, {run_no, experiment_id}));
  return tx.Post(kMoveSeries, {run_no, experiment_id});
}

RunRow RunRowFrom(const Row& row) {
  return {row.GetInt64(0),
          {.run_id = row.GetText(1),
           .experiment_id = std::to_string(row.GetInt64(2)),
           .name = row.GetText(3),
           .user_id = row.GetText(4),
           .status = static_cast<RunStatus>(row.GetInt64(5)),
           .start_ms = row.GetInt64(6),
           .end_ms = row.FindInt64(7),
           .artifact_uri = row.GetText(8),
           .stage = row.GetInt64(9) == 0 ? LifecycleStage::kActive : LifecycleStage::kDeleted}};
}

Result<std::vector<RunRow>> ListRunRows(Reader& reader, std::span<const int64_t> run_nos) {
  std::unordered_map<int64_t, RunRow> by_number;
  RETURN_IF_ERROR(reader.ForEach(kListRows, {NumberList(run_nos)}, [&](const Row& row) {
    RunRow run = RunRowFrom(row);
    int64_t run_no = run.run_no;
    by_number.emplace(run_no, std::move(run));
    return Ok();
  }));
  std::vector<RunRow> rows;
  rows.reserve(by_number.size());
  for (int64_t run_no : run_nos) {
    auto found = by_number.find(run_no);
    if (found != by_number.end()) rows.push_back(std::move(found->second));
  }
  return rows;
}

Result<std::vector<Run>> LoadRuns(Reader& reader, std::vector<RunRow> rows) {
  std::vector<Run> runs(rows.size());
  std::unordered_map<int64_t, Run*> by_number;
  std::vector<int64_t> run_nos;
  for (size_t i = 0; i < rows.size(); ++i) {
    runs[i].info = std::move(rows[i].info);
    by_number.emplace(rows[i].run_no, &runs[i]);
    run_nos.push_back(rows[i].run_no);
  }
  if (runs.empty()) return runs;

  std::vector<Run*> with_datasets;
  int64_t last_run_no = 0;
  Run* run = nullptr;  // that of the last row: rows of one run come together
  auto add_row = [&](const Row& row) {
    int64_t run_no = row.GetInt64(1);
    if (run == nullptr || run_no != last_run_no) {
      run = by_number.at(run_no);
      last_run_no = run_no;
    }
    switch (row.GetInt64(0)) {
      case kParamRow: run->params.push_back({row.GetText(2), row.GetText(3)}); break;
      case kTagRow: run->tags.push_back({row.GetText(2), row.GetText(3)}); break;
      case kMetricRow: {
        double value = row.GetBool(5) ? std::numeric_limits<double>::quiet_NaN() : row.GetDouble(4);
        run->metrics.push_back({.key = row.GetText(2),
                                .value = value,
                                .timestamp_ms = row.GetInt64(6),
                                .step = row.GetInt64(7)});
        break;
      }
      case kModelRow:
        if (row.GetInt64(5) == kInput) {
          run->model_inputs.push_back(row.GetText(2));
        } else {
          run->model_outputs.push_back({row.GetText(2), row.GetInt64(7)});
        }
        break;
      default: with_datasets.push_back(run);
    }
    return Ok();
  };
  if (runs.size() == 1) {
    RETURN_IF_ERROR(reader.ForEach(kListDataOfOne, {run_nos[0]}, add_row));
  } else {
    RETURN_IF_ERROR(reader.ForEach(kListData, {NumberList(run_nos)}, add_row));
  }
  for (Run& loaded : runs) {
    SortByKey(loaded.params);
    SortByKey(loaded.tags);
    SortByKey(loaded.metrics);
    std::sort(loaded.model_inputs.begin(), loaded.model_inputs.end());
    std::sort(loaded.model_outputs.begin(), loaded.model_outputs.end(),
              [](const ModelOutput& a, const ModelOutput& b) { return a.model_id < b.model_id; });
  }
  if (!with_datasets.empty()) RETURN_IF_ERROR(LoadDatasets(reader, with_datasets));
  return runs;
}

std::string NumberList(std::span<const int64_t> numbers) {
  std::string text = "[";
  for (int64_t number : numbers)
    fmt::format_to(std::back_inserter(text), "{}{}", text.size() > 1 ? "," : "", number);
  return text + "]";
}

std::string TextList(std::span<const std::string> texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    CHECK(text.find_first_of("\"\\[]{}") == std::string::npos);
    list += list.size() > 1 ? ",\"" : "\"";
    list += text + "\"";
  }
  return list + "]";
}

}  // namespace sluice::tracking::internal
