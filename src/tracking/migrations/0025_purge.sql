-- What is being purged (stage 2) and has yet to go.
CREATE INDEX runs_purged ON runs (run_no) WHERE stage = 2;
CREATE INDEX logged_models_purged ON logged_models (model_id) WHERE stage = 2;

-- Ids of experiments are never given again: permissions and artifacts may still name them.
CREATE TABLE purged_experiments (
  experiment_id BIGINT NOT NULL PRIMARY KEY,
  purged_ms BIGINT NOT NULL
);
