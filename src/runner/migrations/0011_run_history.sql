-- Runs, their steps and attempts (src/runner/run_history.h).
CREATE TABLE pipeline_runs (
  run_id TEXT NOT NULL PRIMARY KEY,
  pipeline TEXT NOT NULL,
  environment TEXT NOT NULL,
  state TEXT NOT NULL,                      -- running, succeeded, failed, cancelled, interrupted
  start_ms BIGINT NOT NULL,
  end_ms BIGINT
);
CREATE INDEX pipeline_runs_by_start ON pipeline_runs (start_ms);

CREATE TABLE run_steps (
  run_id TEXT NOT NULL REFERENCES pipeline_runs (run_id) ON DELETE CASCADE,
  position INTEGER NOT NULL,                -- topological order
  step TEXT NOT NULL,
  state TEXT NOT NULL,                      -- pending, running, interrupted, or a StepResult
  reason TEXT NOT NULL,
  error TEXT NOT NULL,
  cache_key TEXT NOT NULL,
  attempt_count INTEGER NOT NULL,
  start_ms BIGINT,
  end_ms BIGINT,
  PRIMARY KEY (run_id, step)
);

CREATE TABLE attempts (
  directory TEXT NOT NULL PRIMARY KEY,      -- relative to the project
  run_id TEXT NOT NULL,
  step TEXT NOT NULL,
  number INTEGER NOT NULL,
  cache_key TEXT NOT NULL,
  state TEXT NOT NULL,                      -- running, or an EndReason
  start_ms BIGINT NOT NULL,
  end_ms BIGINT
);
CREATE INDEX attempts_by_step ON attempts (step, start_ms);
CREATE INDEX attempts_by_run ON attempts (run_id);
CREATE INDEX attempts_open ON attempts (state, start_ms);
