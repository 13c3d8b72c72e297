-- What MLflow's clients ask of versions, and what searching them needs.

-- One life of a model: a model that is deleted and made again under its name is another one, and one that is renamed stays
-- itself. The log of alias moves belongs to a life.
ALTER TABLE registered_models ADD COLUMN life TEXT NOT NULL DEFAULT '';
UPDATE registered_models SET life = name;
ALTER TABLE alias_moves ADD COLUMN life TEXT NOT NULL DEFAULT '';
UPDATE alias_moves SET life = name;
CREATE INDEX alias_moves_by_life ON alias_moves (life, alias, move_number);
DROP INDEX alias_moves_by_alias;

ALTER TABLE model_versions ADD COLUMN stage BIGINT NOT NULL DEFAULT 0;   -- 0 None, 1 Staging, 2 Production, 3 Archived
ALTER TABLE model_versions ADD COLUMN status BIGINT NOT NULL DEFAULT 3;  -- 1 pending, 2 failed, 3 ready
ALTER TABLE model_versions ADD COLUMN status_message TEXT NOT NULL DEFAULT '';
ALTER TABLE model_versions ADD COLUMN run_link TEXT NOT NULL DEFAULT '';
ALTER TABLE model_versions ADD COLUMN logged_model_id TEXT NOT NULL DEFAULT '';   -- MLflow's "m-...", '' if none
ALTER TABLE model_versions ADD COLUMN storage_location TEXT NOT NULL DEFAULT '';  -- '' where source says it
ALTER TABLE model_versions ADD COLUMN user_id TEXT NOT NULL DEFAULT '';

-- The newest of each stage.
CREATE INDEX model_versions_by_stage ON model_versions (name, stage, version) WHERE is_deleted = 0;
-- The default orders of searches, over all models and in one.
CREATE INDEX model_versions_by_update ON model_versions (updated_ms DESC, name, version DESC);
CREATE INDEX model_versions_by_model_and_update ON model_versions (name, updated_ms DESC, version DESC);
CREATE INDEX registered_models_by_update ON registered_models (updated_ms DESC, name);
-- Tags by value: the beginning of it, for an index entry has a limit.
CREATE INDEX model_version_tags_by_value ON model_version_tags (key, substr(value, 1, 64), name, version);
CREATE INDEX registered_model_tags_by_value ON registered_model_tags (key, substr(value, 1, 64), name);
-- Whether a gate has judged any version of a model.
CREATE INDEX model_versions_judged ON model_versions (name) WHERE verdict <> 0;
