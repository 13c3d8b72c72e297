-- What a cache key gave (src/runner/run_cache.h).
CREATE TABLE run_cache (
  cache_key TEXT NOT NULL PRIMARY KEY,      -- 64 hex digits
  step TEXT NOT NULL,
  run_id TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  duration_ms BIGINT NOT NULL,
  facts TEXT NOT NULL,                      -- JSON: {"metrics","params","tags","summary","warnings"}
  ingredients TEXT NOT NULL                 -- JSON, as pipeline::IngredientsToJson
);

CREATE TABLE run_cache_outputs (
  cache_key TEXT NOT NULL REFERENCES run_cache (cache_key) ON DELETE CASCADE,
  position INTEGER NOT NULL,                -- index in the step's outputs
  name TEXT NOT NULL,
  object_id TEXT NOT NULL,                  -- "tree:<64 hex>"
  size_bytes BIGINT NOT NULL,
  PRIMARY KEY (cache_key, position)
);

-- The last success of each step, run or cached: what "changed from ... to ..." compares with.
CREATE TABLE step_successes (
  pipeline TEXT NOT NULL,
  step TEXT NOT NULL,
  cache_key TEXT NOT NULL,
  run_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (pipeline, step)
);
