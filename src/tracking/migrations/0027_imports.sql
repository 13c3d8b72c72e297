-- How far each import of another store has come, written in the transactions that bring its rows.
CREATE TABLE import_progress (
  source TEXT NOT NULL,             -- the URI of what is imported, without its password
  phase TEXT NOT NULL,              -- "runs", ...
  position TEXT NOT NULL,           -- the key of the last row that was brought
  is_done BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (source, phase)
) /*sqlite WITHOUT ROWID */;
