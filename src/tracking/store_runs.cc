#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "base/id.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/sql_store.h"

namespace sluice::tracking::internal {
namespace {

using sql::Param;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kInsert{
    "tracking.create_run",
    "INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_ms, end_ms, "
    "artifact_uri, stage) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)"};
constexpr Query kGet{
    "tracking.get_run",
    "SELECT run_id, experiment_id, name, user_id, status, start_ms, end_ms, artifact_uri, stage "
    "FROM runs WHERE run_id = $1 AND stage < 2"};
constexpr Query kUpdate{"tracking.update_run",
                        "UPDATE runs SET status = $2, end_ms = $3 WHERE run_id = $1"};
constexpr Query kSetStage{"tracking.set_run_stage",
                          "UPDATE runs SET stage = $2, deleted_ms = $3 WHERE run_id = $1"};
constexpr Query kSetName{"tracking.set_run_name", "UPDATE runs SET name = $2 WHERE run_id = $1"};
constexpr Query kListParams{"tracking.list_params",
                            "SELECT key, value FROM params WHERE run_id = $1 ORDER BY key"};
constexpr Query kListTags{"tracking.list_tags",
                          "SELECT key, value FROM tags WHERE run_id = $1 ORDER BY key"};
constexpr Query kListLatest{"tracking.list_latest_metrics",
                            "SELECT key, value, is_nan, timestamp_ms, step FROM metric_series "
                            "WHERE run_id = $1 ORDER BY key"};
RunInfo InfoFromRow(const Row& row) {
  return {.run_id = row.GetText(0),
          .experiment_id = std::to_string(row.GetInt64(1)),
          .name = row.GetText(2),
          .user_id = row.GetText(3),
          .status = static_cast<RunStatus>(row.GetInt64(4)),
          .start_ms = row.GetInt64(5),
          .end_ms = row.FindInt64(6),
          .artifact_uri = row.GetText(7),
          .stage = row.GetInt64(8) == 0 ? LifecycleStage::kActive : LifecycleStage::kDeleted};
}

Metric LatestFromRow(const Row& row) {
  bool is_nan = row.GetBool(2);
  return {.key = row.GetText(0),
          .value = is_nan ? std::numeric_limits<double>::quiet_NaN() : row.GetDouble(1),
          .timestamp_ms = row.GetInt64(3),
          .step = row.GetInt64(4)};
}

/// Where a page ends: "<start_ms>:<run id>".
struct PageEnd {
  int64_t start_ms = 0;
  std::string run_id;

  std::string ToToken() const { return fmt::format("{}:{}", start_ms, run_id); }
  static Result<PageEnd> FromToken(std::string_view token) {
    PageEnd end;
    size_t colon = token.find(':');
    std::string_view number = token.substr(0, colon);
    auto [parsed, error] =
        std::from_chars(number.data(), number.data() + number.size(), end.start_ms);
    if (colon == std::string_view::npos || error != std::errc() ||
        parsed != number.data() + number.size()) {
      return InvalidArgument(fmt::format("'{}' is no page token of a list of runs", token));
    }
    end.run_id = token.substr(colon + 1);
    RETURN_IF_ERROR(CheckRunId(end.run_id));
    return end;
  }
};

/// A list's WHERE clause, with its bound values.
class Conditions {
 public:
  /// The placeholder of a value: "$1", "$2", ...
  std::string Bind(const Param& value) {
    params_.push_back(value);
    return fmt::format("${}", params_.size());
  }
  void Add(std::string condition) {
    text_ += (text_.empty() ? " WHERE " : " AND ") + std::move(condition);
  }
  const std::string& text() const { return text_; }
  const std::vector<Param>& params() const { return params_; }

 private:
  std::string text_;
  std::vector<Param> params_;
};

}  // namespace

Result<RunInfo> GetRunInfoIn(Reader& reader, std::string_view run_id) {
  ASSIGN_OR_RETURN(auto info, reader.FindOne(kGet, {run_id}, InfoFromRow));
  if (!info) return NotFound(fmt::format("Run with id={} not found", run_id));
  return *std::move(info);
}

Result<RunInfo> GetActiveRunIn(Reader& reader, std::string_view run_id) {
  ASSIGN_OR_RETURN(RunInfo info, GetRunInfoIn(reader, run_id));
  if (info.stage == LifecycleStage::kDeleted) {
    return FailedPrecondition(
        fmt::format("The run {} must be in the 'active' state. Current state is deleted.", run_id));
  }
  return info;
}

Status LoadRunData(Reader& reader, Run& run) {
  const std::string& run_id = run.info.run_id;
  ASSIGN_OR_RETURN(run.params, reader.FindAll(kListParams, {run_id}, [](const Row& row) {
    return tracking::Param{row.GetText(0), row.GetText(1)};
  }));
  auto tag_from_row = [](const Row& row) { return Tag{row.GetText(0), row.GetText(1)}; };
  ASSIGN_OR_RETURN(run.tags, reader.FindAll(kListTags, {run_id}, tag_from_row));
  ASSIGN_OR_RETURN(run.metrics, reader.FindAll(kListLatest, {run_id}, LatestFromRow));
  RETURN_IF_ERROR(LoadRunLinks(reader, run));
  return Ok();
}

Status SetRunNameIn(Tx& tx, std::string_view run_id, std::string_view name) {
  RETURN_IF_ERROR(tx.Execute(kSetName, {run_id, name}));
  return Ok();
}

Result<Run> SqlStore::CreateRun(const NewRun& run) {
  ASSIGN_OR_RETURN(int64_t experiment_id, ParseExperimentId(run.experiment_id));
  std::map<std::string, std::string> tags;
  for (const Tag& tag : run.tags) {
    RETURN_IF_ERROR(CheckTag({}, tag));
    tags[tag.key] = tag.value;
  }
  std::string& name = tags[std::string(kRunNameTag)];
  if (!run.name.empty()) name = run.name;
  if (name.empty()) name = NewRunName();
  if (!run.parent_run_id.empty()) tags[std::string(kParentRunIdTag)] = run.parent_run_id;
  RunInfo info{.run_id = run.run_id.empty() ? NewRunId() : run.run_id,
               .experiment_id = run.experiment_id,
               .name = name,
               .user_id = run.user_id,
               .status = run.status,
               .start_ms = run.start_ms,
               .end_ms = {},
               .artifact_uri = run.artifact_uri,
               .stage = LifecycleStage::kActive};
  RETURN_IF_ERROR(CheckRunId(info.run_id));
  if (info.user_id.empty()) {
    auto user = tags.find(std::string(kUserTag));
    if (user != tags.end()) info.user_id = user->second;
  }

  return db_.Write(
      [&](Tx& tx) -> Result<Run> {
        ASSIGN_OR_RETURN(Experiment experiment, GetExperimentIn(tx, experiment_id));
        if (experiment.stage == LifecycleStage::kDeleted) {
          return FailedPrecondition(
              fmt::format("The experiment {} must be in the 'active' state. Current state is "
                          "deleted; restore it first.",
                          experiment.id));
        }
        Run created;
        created.info = info;
        if (created.info.artifact_uri.empty()) {
          created.info.artifact_uri =
              JoinUri(experiment.artifact_location, info.run_id + "/artifacts");
        }
        Result<int64_t> inserted =
            tx.Execute(kInsert, {info.run_id, experiment_id, info.name, info.user_id, info.status,
                                 info.start_ms, info.end_ms, created.info.artifact_uri});
        if (!inserted.ok() && inserted.error().code() == ErrorCode::kAlreadyExists) {
          return AlreadyExists(fmt::format("Run with id={} already exists", info.run_id));
        }
        RETURN_IF_ERROR(std::move(inserted));
        for (const auto& [key, value] : tags)
          RETURN_IF_ERROR(SetRunTagIn(tx, info.run_id, {key, value}));
        RETURN_IF_ERROR(LoadRunData(tx, created));
        return created;
      },
      io::Durability::kFast);
}

Result<Run> SqlStore::GetRun(std::string_view run_id) {
  return db_.Read([&](Reader& reader) -> Result<Run> {
    Run run;
    ASSIGN_OR_RETURN(run.info, GetRunInfoIn(reader, run_id));
    RETURN_IF_ERROR(LoadRunData(reader, run));
    return run;
  });
}

Result<RunInfo> SqlStore::UpdateRun(std::string_view run_id, const RunUpdate& update) {
  return db_.Write([&](Tx& tx) -> Result<RunInfo> {
    ASSIGN_OR_RETURN(RunInfo info, GetActiveRunIn(tx, run_id));
    if (update.status) info.status = *update.status;
    if (update.end_ms) info.end_ms = *update.end_ms;
    RETURN_IF_ERROR(tx.Execute(kUpdate, {run_id, info.status, info.end_ms}));
    if (update.name && !update.name->empty()) {
      info.name = *update.name;
      RETURN_IF_ERROR(SetRunTagIn(tx, run_id, {std::string(kRunNameTag), info.name}));
    }
    return info;
  });
}

Status SqlStore::SetRunStage(std::string_view run_id, LifecycleStage stage) {
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetRunInfoIn(tx, run_id));
    std::optional<int64_t> deleted_ms;
    if (stage == LifecycleStage::kDeleted) deleted_ms = clock_.NowMs();
    RETURN_IF_ERROR(tx.Execute(kSetStage, {run_id, stage, deleted_ms}));
    return Ok();
  });
}

Status SqlStore::DeleteRun(std::string_view run_id) {
  return SetRunStage(run_id, LifecycleStage::kDeleted);
}
Status SqlStore::RestoreRun(std::string_view run_id) {
  return SetRunStage(run_id, LifecycleStage::kActive);
}

Result<RunPage> SqlStore::ListRuns(const RunFilter& filter) {
  if (filter.max_count == 0 || filter.max_count > Limits::kPageSize) {
    return InvalidArgument(fmt::format("a page of {} runs was asked for; it may have 1 to {}",
                                       filter.max_count, Limits::kPageSize));
  }
  Conditions conditions;
  if (filter.view == ViewType::kAll) {
    conditions.Add("r.stage < 2");
  } else {
    conditions.Add("r.stage = " + conditions.Bind(filter.view == ViewType::kDeletedOnly));
  }
  if (!filter.experiment_ids.empty()) {
    std::string list;
    for (const std::string& text : filter.experiment_ids) {
      ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(text));
      list += (list.empty() ? "" : ", ") + conditions.Bind(id);
    }
    conditions.Add("r.experiment_id IN (" + list + ")");
  }
  if (filter.status) conditions.Add("r.status = " + conditions.Bind(*filter.status));
  if (!filter.parent_run_id.empty()) {
    // The key is in the text, not bound, so that the index of this key serves it.
    conditions.Add(
        "r.run_id IN (SELECT run_id FROM tags WHERE key = 'mlflow.parentRunId' AND value = " +
        conditions.Bind(filter.parent_run_id) + ")");
  }
  for (const Tag& tag : filter.tags) {
    std::string key = conditions.Bind(tag.key);
    std::string value = conditions.Bind(tag.value);
    conditions.Add("EXISTS (SELECT 1 FROM tags t WHERE t.run_id = r.run_id AND t.key = " + key +
                   " AND t.value = " + value + ")");
  }
  PageEnd end;
  if (!filter.page_token.empty()) {
    ASSIGN_OR_RETURN(end, PageEnd::FromToken(filter.page_token));
    std::string start_ms = conditions.Bind(end.start_ms);
    std::string run_id = conditions.Bind(end.run_id);
    conditions.Add("(r.start_ms < " + start_ms + " OR (r.start_ms = " + start_ms +
                   " AND r.run_id > " + run_id + "))");
  }
  // One more than the page, to know whether there is a next.
  std::string limit = conditions.Bind(filter.max_count + 1);
  std::string text =
      "SELECT r.run_id, r.experiment_id, r.name, r.user_id, r.status, r.start_ms, r.end_ms, "
      "r.artifact_uri, r.stage "
      "FROM runs r" +
      conditions.text() + " ORDER BY r.start_ms DESC, r.run_id LIMIT " + limit;

  return db_.Read([&](Reader& reader) -> Result<RunPage> {
    ASSIGN_OR_RETURN(auto infos, reader.FindAll(Query{"tracking.list_runs", text},
                                                conditions.params(), InfoFromRow));
    RunPage page;
    if (infos.size() > filter.max_count) {
      infos.pop_back();
      page.next_token = PageEnd{infos.back().start_ms, infos.back().run_id}.ToToken();
    }
    for (RunInfo& info : infos) {
      Run& run = page.runs.emplace_back();
      run.info = std::move(info);
      RETURN_IF_ERROR(LoadRunData(reader, run));
    }
    return page;
  });
}

}  // namespace sluice::tracking::internal
