#include "runner/run_history.h"

#include <fmt/format.h>

namespace sluice::runner {
namespace {

using sql::Query;
using sql::Row;

constexpr Query kPutRun{
    "runner.put_run",
    "INSERT INTO pipeline_runs (run_id, pipeline, environment, state, start_ms, end_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Query kEndRun{"runner.end_run",
                        "UPDATE pipeline_runs SET state = $2, end_ms = $3 WHERE run_id = $1"};
constexpr Query kPutStep{"runner.put_step",
                         "INSERT INTO run_steps (run_id, position, step, state, reason, error, "
                         "cache_key, attempt_count, "
                         "start_ms, end_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
constexpr Query kUpdateStep{
    "runner.update_step",
    "UPDATE run_steps SET state = $3, reason = $4, error = $5, cache_key = $6, attempt_count = $7, "
    "start_ms = $8, end_ms = $9 WHERE run_id = $1 AND step = $2"};
constexpr Query kPutAttempt{
    "runner.put_attempt",
    "INSERT INTO attempts (directory, run_id, step, number, cache_key, state, start_ms, end_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)"};
constexpr Query kEndAttempt{"runner.end_attempt",
                            "UPDATE attempts SET state = $2, end_ms = $3 WHERE directory = $1"};
constexpr Query kListOpenAttempts{
    "runner.list_open_attempts",
    "SELECT directory, run_id, step, number, cache_key, state, start_ms, end_ms FROM attempts "
    "WHERE state = 'running' ORDER BY start_ms, directory"};
constexpr Query kCloseInterrupted{"runner.close_interrupted",
                                  "UPDATE pipeline_runs SET state = 'interrupted', end_ms = $2 "
                                  "WHERE state = 'running' AND run_id <> $1"};
constexpr Query kCloseInterruptedSteps{
    "runner.close_interrupted_steps",
    "UPDATE run_steps SET state = 'interrupted' WHERE state IN ('running', 'pending') AND run_id "
    "IN "
    "(SELECT run_id FROM pipeline_runs WHERE state = 'running' AND run_id <> $1)"};
constexpr Query kListRuns{
    "runner.list_runs",
    "SELECT run_id, pipeline, environment, state, start_ms, end_ms FROM pipeline_runs "
    "ORDER BY start_ms DESC, run_id LIMIT $1"};
constexpr Query kFindRun{
    "runner.find_run",
    "SELECT run_id, pipeline, environment, state, start_ms, end_ms FROM pipeline_runs "
    "WHERE run_id = $1"};
constexpr Query kListSteps{
    "runner.list_steps",
    "SELECT run_id, step, state, reason, error, cache_key, attempt_count, start_ms, end_ms "
    "FROM run_steps WHERE run_id = $1 ORDER BY position"};
constexpr Query kFindLastAttempt{
    "runner.find_last_attempt",
    "SELECT directory, run_id, step, number, cache_key, state, start_ms, end_ms FROM attempts "
    "WHERE step = $1 AND ($2 = '' OR run_id = $2) ORDER BY start_ms DESC, number DESC LIMIT 1"};
constexpr Query kListRunsWithAttempts{
    "runner.list_runs_with_attempts",
    "SELECT run_id FROM attempts GROUP BY run_id ORDER BY MAX(start_ms) DESC LIMIT $1"};

RunRow RunFromRow(const Row& row) {
  return {row.GetText(0), row.GetText(1),  row.GetText(2),
          row.GetText(3), row.GetInt64(4), row.FindInt64(5)};
}

StepRow StepFromRow(const Row& row) {
  return {row.GetText(0),
          row.GetText(1),
          row.GetText(2),
          row.GetText(3),
          row.GetText(4),
          row.GetText(5),
          static_cast<int>(row.GetInt64(6)),
          row.FindInt64(7),
          row.FindInt64(8)};
}

AttemptRow AttemptFromRow(const Row& row) {
  return {row.GetText(0), row.GetText(1), row.GetText(2),  static_cast<int>(row.GetInt64(3)),
          row.GetText(4), row.GetText(5), row.GetInt64(6), row.FindInt64(7)};
}

Status UpdateStepIn(sql::Tx& tx, const StepRow& step) {
  RETURN_IF_ERROR(
      tx.Execute(kUpdateStep, {step.run_id, step.step, step.state, step.reason, step.error,
                               step.cache_key, step.attempt_count, step.start_ms, step.end_ms}));
  return Ok();
}

}  // namespace

Status RunHistory::BeginRun(const RunRow& run, const std::vector<StepRow>& steps) {
  return db_.Write(
      [&](sql::Tx& tx) -> Status {
        RETURN_IF_ERROR(tx.Execute(kPutRun, {run.run_id, run.pipeline, run.environment, run.state,
                                             run.start_ms, run.end_ms}));
        for (size_t i = 0; i < steps.size(); ++i) {
          const StepRow& step = steps[i];
          RETURN_IF_ERROR(tx.Execute(
              kPutStep, {run.run_id, i, step.step, step.state, step.reason, step.error,
                         step.cache_key, step.attempt_count, step.start_ms, step.end_ms}));
        }
        return Ok();
      },
      io::Durability::kFast);
}

Status RunHistory::UpdateStep(const StepRow& step) {
  return db_.Write([&](sql::Tx& tx) { return UpdateStepIn(tx, step); }, io::Durability::kFast);
}

Status RunHistory::EndRun(std::string_view run_id, std::string_view state, int64_t end_ms,
                          const std::vector<StepRow>& changed_steps, io::Durability durability) {
  return db_.Write(
      [&](sql::Tx& tx) -> Status {
        for (const StepRow& step : changed_steps) RETURN_IF_ERROR(UpdateStepIn(tx, step));
        ASSIGN_OR_RETURN(int64_t count, tx.Execute(kEndRun, {run_id, state, end_ms}));
        if (count == 0) return NotFound(fmt::format("there is no pipeline run '{}'", run_id));
        return Ok();
      },
      durability);
}

Status RunHistory::BeginAttempt(const AttemptRow& attempt) {
  return db_.Write(
      [&](sql::Tx& tx) -> Status {
        RETURN_IF_ERROR(tx.Execute(kPutAttempt,
                                   {attempt.directory, attempt.run_id, attempt.step, attempt.number,
                                    attempt.cache_key, attempt.state, attempt.start_ms}));
        return Ok();
      },
      io::Durability::kFast);
}

Status RunHistory::EndAttempt(std::string_view directory, std::string_view state, int64_t end_ms) {
  return db_.Write(
      [&](sql::Tx& tx) -> Status {
        RETURN_IF_ERROR(tx.Execute(kEndAttempt, {directory, state, end_ms}));
        return Ok();
      },
      io::Durability::kFast);
}

Result<std::vector<AttemptRow>> RunHistory::ListOpenAttempts() {
  return db_.Read(
      [&](sql::Reader& reader) { return reader.FindAll(kListOpenAttempts, {}, AttemptFromRow); });
}

Status RunHistory::CloseInterruptedRuns(std::string_view except_run_id, int64_t now_ms) {
  return db_.Write(
      [&](sql::Tx& tx) -> Status {
        RETURN_IF_ERROR(tx.Execute(kCloseInterruptedSteps, {except_run_id}));
        RETURN_IF_ERROR(tx.Execute(kCloseInterrupted, {except_run_id, now_ms}));
        return Ok();
      },
      io::Durability::kFast);
}

Result<std::vector<RunRow>> RunHistory::ListRuns(int max_count) {
  return db_.Read(
      [&](sql::Reader& reader) { return reader.FindAll(kListRuns, {max_count}, RunFromRow); });
}

Result<std::optional<RunRow>> RunHistory::FindRun(std::string_view run_id) {
  return db_.Read(
      [&](sql::Reader& reader) { return reader.FindOne(kFindRun, {run_id}, RunFromRow); });
}

Result<std::vector<StepRow>> RunHistory::ListSteps(std::string_view run_id) {
  return db_.Read(
      [&](sql::Reader& reader) { return reader.FindAll(kListSteps, {run_id}, StepFromRow); });
}

Result<std::optional<AttemptRow>> RunHistory::FindLastAttempt(std::string_view step,
                                                              std::string_view run_id) {
  return db_.Read([&](sql::Reader& reader) {
    return reader.FindOne(kFindLastAttempt, {step, run_id}, AttemptFromRow);
  });
}

Result<std::vector<std::string>> RunHistory::ListRunsWithAttempts(int max_count) {
  return db_.Read([&](sql::Reader& reader) {
    return reader.FindAll(kListRunsWithAttempts, {max_count},
                          [](const Row& row) { return row.GetText(0); });
  });
}

}  // namespace sluice::runner
