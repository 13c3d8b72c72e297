-- Experiments, runs and what they log, as MLflow's model. Times are milliseconds since epoch, UTC.

CREATE TABLE experiments (
  experiment_id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  artifact_location TEXT NOT NULL,
  stage BIGINT NOT NULL,            -- 0 active, 1 deleted
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);

CREATE TABLE experiment_tags (
  experiment_id BIGINT NOT NULL REFERENCES experiments (experiment_id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (experiment_id, key)
) /*sqlite WITHOUT ROWID */;

CREATE TABLE runs (
  run_id TEXT NOT NULL PRIMARY KEY,
  experiment_id BIGINT NOT NULL REFERENCES experiments (experiment_id),
  name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  status BIGINT NOT NULL,           -- 1 running, 2 scheduled, 3 finished, 4 failed, 5 killed
  start_ms BIGINT NOT NULL,
  end_ms BIGINT,
  artifact_uri TEXT NOT NULL,
  stage BIGINT NOT NULL,            -- 0 active, 1 deleted
  -- Deleted together with its experiment, and to be restored with it.
  deleted_with_experiment BIGINT NOT NULL DEFAULT 0
);
-- A page of an experiment's runs, newest first, and the same over all experiments.
CREATE INDEX runs_by_experiment ON runs (experiment_id, start_ms DESC, run_id);
CREATE INDEX runs_by_start ON runs (start_ms DESC, run_id);

CREATE TABLE params (
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) /*sqlite WITHOUT ROWID */;

CREATE TABLE tags (
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) /*sqlite WITHOUT ROWID */;
-- The children of a run. Only this key: other values may be too long for an index entry.
CREATE INDEX tags_parent_run ON tags (value, run_id) WHERE key = 'mlflow.parentRunId';

-- One row for each run and key: the latest point, and a short number that stands for the pair in metric_points.
CREATE TABLE metric_series (
  series_id BIGINT NOT NULL PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  key TEXT NOT NULL,
  step BIGINT NOT NULL,
  timestamp_ms BIGINT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  is_nan BIGINT NOT NULL,           -- 1: the value is NaN and stored as 0
  UNIQUE (run_id, key)
);

-- The whole history. The key holds every column, so a point logged twice is one point.
CREATE TABLE metric_points (
  series_id BIGINT NOT NULL REFERENCES metric_series (series_id),
  timestamp_ms BIGINT NOT NULL,
  step BIGINT NOT NULL,
  is_nan BIGINT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (series_id, timestamp_ms, step, is_nan, value)
) /*sqlite WITHOUT ROWID */;

CREATE TABLE datasets (
  dataset_id BIGINT NOT NULL PRIMARY KEY,
  experiment_id BIGINT NOT NULL REFERENCES experiments (experiment_id),
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  schema_json TEXT NOT NULL,
  profile_json TEXT NOT NULL,
  UNIQUE (experiment_id, name, digest)
);

CREATE TABLE dataset_links (
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  direction BIGINT NOT NULL,        -- 0 the run read it, 1 the run wrote it
  dataset_id BIGINT NOT NULL REFERENCES datasets (dataset_id),
  PRIMARY KEY (run_id, direction, dataset_id)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX dataset_links_by_dataset ON dataset_links (dataset_id);

CREATE TABLE dataset_link_tags (
  run_id TEXT NOT NULL,
  direction BIGINT NOT NULL,
  dataset_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_id, direction, dataset_id, key),
  FOREIGN KEY (run_id, direction, dataset_id)
    REFERENCES dataset_links (run_id, direction, dataset_id)
) /*sqlite WITHOUT ROWID */;
