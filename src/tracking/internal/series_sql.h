// Text of the statements that write metric_series. Macros, for a Query is put together from
// literals.
#pragma once

// The latest point is replaced by a greater (step, timestamp, value), NaN below every number; the
// extremes grow.
#define SLUICE_IF_LATER(COLUMN)                                                                  \
#COLUMN                                                                                        \
      " = CASE WHEN (excluded.step, excluded.timestamp_ms, 1 - excluded.is_nan, "                \
      "excluded.value) > (m.step, m.timestamp_ms, 1 - m.is_nan, m.value) THEN excluded." #COLUMN \
      " ELSE m." #COLUMN " END"
#define SLUICE_EXTREME(COLUMN, SIGN)                                                       \
#COLUMN " = CASE WHEN m." #COLUMN " IS NULL OR excluded." #COLUMN " " SIGN " m." #COLUMN \
          " THEN excluded." #COLUMN " ELSE m." #COLUMN " END"
#define SLUICE_ON_SERIES_CONFLICT \
  " ON CONFLICT (run_no, key) DO UPDATE SET " SLUICE_IF_LATER(step) ", "                         \
  SLUICE_IF_LATER(timestamp_ms) ", " SLUICE_IF_LATER(value) ", " SLUICE_IF_LATER(is_nan) ", "    \
  SLUICE_EXTREME(min_value, "<") ", " SLUICE_EXTREME(max_value, ">") " RETURNING series_id"
#define SLUICE_INSERT_SERIES                                                                \
  "INSERT INTO metric_series AS m (run_no, experiment_id, key, step, timestamp_ms, value, " \
  "is_nan, min_value, max_value) "
// The same with one row of $1 to $9, where one writes at a time and no sequence gives the number.
#define SLUICE_INSERT_ONE_SERIES                                                              \
  "INSERT INTO metric_series AS m (series_id, run_no, experiment_id, key, step, "             \
  "timestamp_ms, value, is_nan, min_value, max_value) "                                       \
  "VALUES ((SELECT COALESCE(MAX(series_id), 0) + 1 FROM metric_series), $1, $2, $3, $4, $5, " \
  "$6, $7, $8, $9)"
