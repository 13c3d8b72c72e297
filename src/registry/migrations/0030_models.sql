-- Registered models, their versions, aliases and the log of alias moves. Times are milliseconds since epoch, UTC.

CREATE TABLE registered_models (
  name TEXT NOT NULL PRIMARY KEY,
  description TEXT NOT NULL,
  -- The greatest version number ever given: numbers are not reused.
  last_version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);

CREATE TABLE registered_model_tags (
  name TEXT NOT NULL REFERENCES registered_models (name) ON UPDATE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name, key)
) /*sqlite WITHOUT ROWID */;

CREATE TABLE model_versions (
  name TEXT NOT NULL REFERENCES registered_models (name) ON UPDATE CASCADE,
  version BIGINT NOT NULL,
  source TEXT NOT NULL,
  model_id TEXT NOT NULL,           -- object id of the model folder, '' if it is not in the store
  run_id TEXT NOT NULL,             -- '' if no run made it
  description TEXT NOT NULL,
  verdict BIGINT NOT NULL,          -- 0 none, 1 pass, 2 fail, 3 inconclusive
  verdict_digest TEXT NOT NULL,
  provenance TEXT NOT NULL,         -- JSON or ''
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  is_deleted BIGINT NOT NULL,
  PRIMARY KEY (name, version)
);
CREATE INDEX model_versions_by_run ON model_versions (run_id);

CREATE TABLE model_version_tags (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name, version, key),
  FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON UPDATE CASCADE
) /*sqlite WITHOUT ROWID */;

CREATE TABLE model_aliases (
  name TEXT NOT NULL,
  alias TEXT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (name, alias),
  FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON UPDATE CASCADE
) /*sqlite WITHOUT ROWID */;

-- Rows are only ever added. No reference to the model: the log outlives a rename.
CREATE TABLE alias_moves (
  move_number BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  alias TEXT NOT NULL,
  from_version BIGINT,              -- NULL: the alias was new
  to_version BIGINT,                -- NULL: the alias was removed
  undoes_move BIGINT REFERENCES alias_moves (move_number),
  is_forced BIGINT NOT NULL,
  user_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE INDEX alias_moves_by_alias ON alias_moves (name, alias, move_number);
