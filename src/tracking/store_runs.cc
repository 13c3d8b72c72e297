#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "base/id.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/run_rows.h"
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
    "artifact_uri, stage, user_head) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, "
    "substr($4, 1, 200)) RETURNING run_no"};
constexpr Query kGet{
    "tracking.get_run",
    "SELECT run_no, run_id, experiment_id, name, user_id, status, start_ms, end_ms, artifact_uri, "
    "stage FROM runs WHERE run_id = $1 AND stage < 2"};
constexpr Query kUpdate{"tracking.update_run",
                        "UPDATE runs SET status = $2, end_ms = $3 WHERE run_no = $1"};
constexpr Query kSetStage{"tracking.set_run_stage",
                          "UPDATE runs SET stage = $2, deleted_ms = $3 WHERE run_no = $1"};

Result<RunRow> GetRunRowIn(Reader& reader, std::string_view run_id) {
  ASSIGN_OR_RETURN(auto row, reader.FindOne(kGet, {run_id}, RunRowFrom));
  if (!row) return NotFound(fmt::format("Run with id={} not found", run_id));
  return *std::move(row);
}

Result<RunRow> GetActiveRunRowIn(Reader& reader, std::string_view run_id) {
  ASSIGN_OR_RETURN(RunRow row, GetRunRowIn(reader, run_id));
  if (row.info.stage == LifecycleStage::kDeleted) {
    return FailedPrecondition(
        fmt::format("The run {} must be in the 'active' state. Current state is deleted.", run_id));
  }
  return row;
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
  ASSIGN_OR_RETURN(RunRow row, GetRunRowIn(reader, run_id));
  return std::move(row.info);
}

Result<RunInfo> GetActiveRunIn(Reader& reader, std::string_view run_id) {
  ASSIGN_OR_RETURN(RunRow row, GetActiveRunRowIn(reader, run_id));
  return std::move(row.info);
}

Result<Run> SqlStore::CreateRun(const NewRun& run) {
  ASSIGN_OR_RETURN(int64_t experiment_id, ParseExperimentId(run.experiment_id));
  std::map<std::string, std::string> tags;
  for (const Tag& tag : run.tags) {
    RETURN_IF_ERROR(CheckTag({}, tag));
    tags[tag.key] = tag.value;
  }
  std::string& name = tags[std::string(kRunNameTag)];
  if (!run.name.empty() && !name.empty() && run.name != name) {
    return InvalidArgument(
        fmt::format("Both 'run_name' argument and 'mlflow.runName' tag are specified, but with "
                    "different values (run_name='{}', mlflow.runName='{}').",
                    run.name, name));
  }
  if (!run.name.empty()) name = run.name;
  if (name.empty()) name = NewRunName();
  if (!run.parent_run_id.empty()) tags[std::string(kParentRunIdTag)] = run.parent_run_id;
  for (auto& [key, value] : tags) value = CutCharacters(value, Limits::kRunTagValueLength);
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
        ASSIGN_OR_RETURN(Experiment experiment, GetActiveExperimentIn(tx, experiment_id));
        Run created;
        created.info = info;
        if (created.info.artifact_uri.empty()) {
          created.info.artifact_uri =
              JoinUri(experiment.artifact_location, info.run_id + "/artifacts");
        }
        auto run_no = tx.FindOne(kInsert,
                                 {info.run_id, experiment_id, info.name, info.user_id, info.status,
                                  info.start_ms, info.end_ms, created.info.artifact_uri},
                                 [](const Row& row) { return row.GetInt64(0); });
        if (!run_no.ok() && run_no.error().code() == ErrorCode::kAlreadyExists) {
          return AlreadyExists(fmt::format("Run with id={} already exists", info.run_id));
        }
        RETURN_IF_ERROR(run_no);
        if (!*run_no) return Internal("a new run got no number");
        for (const auto& [key, value] : tags) created.tags.push_back({key, value});
        RETURN_IF_ERROR(InsertRunTagsIn(tx, {**run_no, experiment_id}, created.tags, is_server_));
        return created;
      },
      sql::WriteOptions{.durability = io::Durability::kFast, .scope = info.run_id});
}

Result<Run> SqlStore::GetRun(std::string_view run_id) {
  return db_.Read([&](Reader& reader) -> Result<Run> {
    ASSIGN_OR_RETURN(RunRow row, GetRunRowIn(reader, run_id));
    std::vector<RunRow> rows;
    rows.push_back(std::move(row));
    ASSIGN_OR_RETURN(std::vector<Run> runs, LoadRuns(reader, std::move(rows)));
    return std::move(runs.front());
  });
}

Result<RunInfo> SqlStore::GetRunInfo(std::string_view run_id) {
  return db_.Read([&](Reader& reader) { return GetRunInfoIn(reader, run_id); });
}

Result<RunInfo> SqlStore::UpdateRun(std::string_view run_id, const RunUpdate& update) {
  WriteListener* listener = options_.listener;
  const bool tells_ends = listener != nullptr && listener->wants_run_ends();
  return db_.Write(
      [&](Tx& tx) -> Result<RunInfo> {
        ASSIGN_OR_RETURN(RunRow row, GetActiveRunRowIn(tx, run_id));
        RunInfo& info = row.info;
        const bool has_ended = !IsEnded(info.status) && update.status && IsEnded(*update.status);
        if (update.status) info.status = *update.status;
        if (update.end_ms) info.end_ms = *update.end_ms;
        if (update.status || update.end_ms)
          RETURN_IF_ERROR(tx.Post(kUpdate, {row.run_no, info.status, info.end_ms}));
        if (update.name && !update.name->empty()) {
          info.name = CutCharacters(*update.name, Limits::kRunTagValueLength);
          ASSIGN_OR_RETURN(int64_t experiment_id, ParseExperimentId(info.experiment_id));
          const Tag tag{std::string(kRunNameTag), info.name};
          RETURN_IF_ERROR(SetRunTagsIn(tx, {row.run_no, experiment_id}, {&tag, 1}, is_server_));
        }
        if (has_ended && tells_ends) RETURN_IF_ERROR(listener->OnRunEnded(tx, info));
        return std::move(info);
      },
      sql::WriteOptions{.scope = run_id});
}

Status SqlStore::SetRunStage(std::string_view run_id, LifecycleStage stage) {
  return db_.Write(
      [&](Tx& tx) -> Status {
        ASSIGN_OR_RETURN(RunKey key, GetRunKeyIn(tx, run_id));
        std::optional<int64_t> deleted_ms;
        if (stage == LifecycleStage::kDeleted) deleted_ms = clock_.NowMs();
        return tx.Post(kSetStage, {key.run_no, stage, deleted_ms});
      },
      sql::WriteOptions{.scope = run_id});
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
        "r.run_no IN (SELECT run_no FROM tags WHERE key = 'mlflow.parentRunId' AND value_head = " +
        conditions.Bind(filter.parent_run_id) + ")");
  }
  for (const Tag& tag : filter.tags) {
    std::string key = conditions.Bind(tag.key);
    std::string value = conditions.Bind(tag.value);
    conditions.Add("EXISTS (SELECT 1 FROM tags t WHERE t.run_no = r.run_no AND t.key = " + key +
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
      fmt::format("SELECT {} FROM runs r{} ORDER BY r.start_ms DESC, r.run_id LIMIT {}",
                  kRunColumns, conditions.text(), limit);

  return db_.Read([&](Reader& reader) -> Result<RunPage> {
    ASSIGN_OR_RETURN(auto rows, reader.FindAll(Query{"tracking.list_runs", text},
                                               conditions.params(), RunRowFrom));
    RunPage page;
    if (rows.size() > filter.max_count) {
      rows.pop_back();
      page.next_token = PageEnd{rows.back().info.start_ms, rows.back().info.run_id}.ToToken();
    }
    ASSIGN_OR_RETURN(page.runs, LoadRuns(reader, std::move(rows)));
    return page;
  });
}

}  // namespace sluice::tracking::internal
