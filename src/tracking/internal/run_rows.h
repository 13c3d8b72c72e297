// Runs between rows and structs, by their short numbers (runs.run_no); all inside a transaction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/db.h"
#include "tracking/run.h"

namespace sluice::tracking::internal {

/// What is needed to write or find what a run logs: params, tags and metric_series are keyed by
/// run_no and repeat the experiment.
struct RunKey {
  int64_t run_no = 0;
  int64_t experiment_id = 0;
  LifecycleStage stage = LifecycleStage::kActive;
};
/// Errors: kNotFound.
Result<RunKey> GetRunKeyIn(sql::Reader& reader, std::string_view run_id);
/// Errors: kNotFound; kFailedPrecondition if it is deleted.
Result<RunKey> GetActiveRunKeyIn(sql::Reader& reader, std::string_view run_id);

/// Lets what the run logged follow it to another experiment. The run's own row is the caller's.
Status MoveRunRowsIn(sql::Tx& tx, int64_t run_no, int64_t experiment_id);

struct RunRow {
  int64_t run_no = 0;
  RunInfo info;
};
/// The columns that RunRowFrom reads, of table `runs`.
inline constexpr std::string_view kRunColumns =
    "run_no, run_id, experiment_id, name, user_id, status, start_ms, end_ms, artifact_uri, stage";
RunRow RunRowFrom(const sql::Row& row);

/// Runs by number, in the order of `run_nos`; one that is gone is left out.
Result<std::vector<RunRow>> ListRunRows(sql::Reader& reader, std::span<const int64_t> run_nos);

/// The runs with their params, latest metrics, tags, datasets and logged models. The number of
/// queries does not depend on the number of runs.
Result<std::vector<Run>> LoadRuns(sql::Reader& reader, std::vector<RunRow> rows);

/// "[1,2,3]", for `run_no IN` kNumberList: one statement for lists of any length.
std::string NumberList(std::span<const int64_t> numbers);
/// "["a","b"]"; for texts without quotes and backslashes (CHECK), such as ids of runs.
std::string TextList(std::span<const std::string> texts);

}  // namespace sluice::tracking::internal
