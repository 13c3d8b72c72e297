-- Who wants to hear of what, and what was not told yet.

CREATE TABLE webhooks (
  webhook_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT,                 -- NULL: none given
  url TEXT NOT NULL,
  status BIGINT NOT NULL,           -- 1 active, 2 disabled
  secret TEXT NOT NULL,             -- sealed (internal/secret_box.h), '' if none
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE INDEX webhooks_by_age ON webhooks (created_ms DESC, webhook_id);

CREATE TABLE webhook_events (
  webhook_id TEXT NOT NULL REFERENCES webhooks (webhook_id) ON DELETE CASCADE,
  position BIGINT NOT NULL,         -- 0, 1, ... in the order they were given
  entity BIGINT NOT NULL,           -- WebhookEntity
  action BIGINT NOT NULL,           -- WebhookAction
  experiment_id TEXT NOT NULL,      -- '': any; this and what follows are of runs and metrics only
  statuses TEXT NOT NULL,           -- "FAILED,KILLED"; '': any
  metric_key TEXT NOT NULL,
  comparator BIGINT NOT NULL,       -- Comparator, 0 if there is no condition
  threshold DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (webhook_id, position)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX webhook_events_by_kind ON webhook_events (entity, action);

-- The outbox: one row for each webhook that listens, written in the transaction of the change.
CREATE TABLE webhook_deliveries (
  delivery_id TEXT NOT NULL PRIMARY KEY,
  webhook_id TEXT NOT NULL REFERENCES webhooks (webhook_id) ON DELETE CASCADE,
  entity BIGINT NOT NULL,
  action BIGINT NOT NULL,
  payload TEXT NOT NULL,            -- the JSON body as it is sent
  created_ms BIGINT NOT NULL,
  state BIGINT NOT NULL,            -- 0 waiting, 1 delivered, 2 given up
  due_ms BIGINT NOT NULL,           -- next attempt; while one is under way: when its lease ends
  attempt_count BIGINT NOT NULL,
  last_status BIGINT NOT NULL,      -- HTTP status of the last attempt, 0 if there was no answer
  last_error TEXT NOT NULL
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, state, due_ms);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_ms);

-- Whether the condition of a metric event held for the last point of a run that was looked at.
CREATE TABLE webhook_metric_states (
  webhook_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  run_id TEXT NOT NULL,
  holds BIGINT NOT NULL,
  step BIGINT NOT NULL,
  timestamp_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (webhook_id, position, run_id),
  FOREIGN KEY (webhook_id, position) REFERENCES webhook_events (webhook_id, position) ON DELETE CASCADE
) /*sqlite WITHOUT ROWID */;
CREATE INDEX webhook_metric_states_by_age ON webhook_metric_states (updated_ms);
