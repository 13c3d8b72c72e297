-- Logged models, what runs read and made of them, and deleting for good.

-- When the run was deleted; null while it is active. A stage of 2, here, in experiments and in
-- logged_models, means: being purged, rows go, nobody may see it.
ALTER TABLE runs ADD COLUMN deleted_ms BIGINT;
UPDATE runs SET deleted_ms = COALESCE(end_ms, start_ms) WHERE stage = 1;
-- What a purge looks for.
CREATE INDEX runs_deleted ON runs (deleted_ms, run_id) WHERE deleted_ms IS NOT NULL;

CREATE TABLE logged_models (
  model_id TEXT NOT NULL PRIMARY KEY,
  experiment_id BIGINT NOT NULL REFERENCES experiments (experiment_id),
  name TEXT NOT NULL,
  artifact_uri TEXT NOT NULL,
  status BIGINT NOT NULL,           -- 1 pending, 2 ready, 3 upload failed
  status_message TEXT NOT NULL,
  model_type TEXT NOT NULL,
  source_run_id TEXT NOT NULL,  -- '' or a run, which may be gone
  stage BIGINT NOT NULL,            -- 0 active, 1 deleted, 2 being purged
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL        -- of a deleted one: when it was deleted
);
-- A page of an experiment's models, newest first.
CREATE INDEX logged_models_by_experiment ON logged_models (experiment_id, created_ms DESC, model_id);

CREATE TABLE logged_model_params (
  model_id TEXT NOT NULL REFERENCES logged_models (model_id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_id, key)
) /*sqlite WITHOUT ROWID */;

CREATE TABLE logged_model_tags (
  model_id TEXT NOT NULL REFERENCES logged_models (model_id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_id, key)
) /*sqlite WITHOUT ROWID */;

-- Every point. The dataset is in the key as a hash, since an index entry holds no name of 500 characters.
CREATE TABLE logged_model_metrics (
  model_id TEXT NOT NULL REFERENCES logged_models (model_id),
  key TEXT NOT NULL,
  timestamp_ms BIGINT NOT NULL,
  step BIGINT NOT NULL,
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  dataset_hash TEXT NOT NULL,   -- '' without dataset
  is_nan BIGINT NOT NULL,           -- 1: the value is NaN and stored as 0
  value DOUBLE PRECISION NOT NULL,
  dataset_name TEXT NOT NULL,   -- or ''
  dataset_digest TEXT NOT NULL, -- or ''
  PRIMARY KEY (model_id, key, timestamp_ms, step, run_id, dataset_hash, is_nan, value)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX logged_model_metrics_by_run ON logged_model_metrics (run_id);

-- Logged models that runs read and made. The model may be unknown: clients link before they create.
CREATE TABLE model_links (
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  direction BIGINT NOT NULL,        -- 0 the run read it, 1 the run made it
  model_id TEXT NOT NULL,
  step BIGINT NOT NULL,
  PRIMARY KEY (run_id, direction, model_id)
) /*sqlite WITHOUT ROWID */;

-- Artifacts that nothing names any more and that have yet to be removed.
CREATE TABLE artifact_removals (
  removal_id TEXT NOT NULL PRIMARY KEY,  -- "run:<id>", "model:<id>"
  artifact_uri TEXT NOT NULL,
  recorded_ms BIGINT NOT NULL
);
