import type { Migration } from "./migration.ts";

/**
 * The first tables. Tasks carry their own queue: what is pending or released *is* enqueued, in the order of `sequence`.
 * How many wait is kept by triggers, so that a submit need not count a long queue.
 */
export const firstTables: Migration = {
  number: 1,
  name: "first tables",
  sql: `
CREATE TABLE tasks (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT,
  model TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('image', 'video')),
  mode TEXT NOT NULL,
  prompt TEXT NOT NULL,
  negative_prompt TEXT NOT NULL DEFAULT '',
  parameters TEXT NOT NULL,
  seed INTEGER NOT NULL,
  catalog_version TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'done', 'failed')),
  progress INTEGER NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
  stage TEXT NOT NULL,
  stage_detail TEXT,
  step INTEGER,
  steps INTEGER,
  preview_version INTEGER NOT NULL DEFAULT 0,
  preview_path TEXT,
  preview_type TEXT,
  result_path TEXT,
  result_type TEXT,
  result_bytes INTEGER,
  result_sha256 TEXT,
  width INTEGER,
  height INTEGER,
  frames INTEGER,
  fps INTEGER,
  error_code TEXT,
  error_msg TEXT,
  warnings TEXT NOT NULL DEFAULT '[]',
  engine TEXT,
  engine_version TEXT,
  completed_prompt TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  executor TEXT,
  run_handle TEXT,
  lease_owner TEXT,
  lease_until INTEGER,
  lease_renewed_at INTEGER,
  leased_ms INTEGER NOT NULL DEFAULT 0,
  released INTEGER NOT NULL DEFAULT 0,
  storing INTEGER NOT NULL DEFAULT 0,
  cancel_requested_at INTEGER,
  unable_ms INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  CHECK (status <> 'done' OR (result_path IS NOT NULL AND finished_at IS NOT NULL)),
  CHECK (status <> 'failed' OR (error_code IS NOT NULL AND error_msg IS NOT NULL AND finished_at IS NOT NULL)),
  CHECK (status = 'processing' OR lease_owner IS NULL)
) STRICT;
CREATE INDEX tasks_pending ON tasks (sequence, model, mode, workspace) WHERE status = 'pending';
CREATE INDEX tasks_processing ON tasks (sequence) WHERE status = 'processing';
CREATE INDEX tasks_by_time ON tasks (created_at, sequence);
CREATE INDEX tasks_done ON tasks (model, mode, finished_at, leased_ms) WHERE status = 'done';

CREATE TABLE queue_size (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  waiting INTEGER NOT NULL CHECK (waiting >= 0)
) STRICT;
INSERT INTO queue_size (one, waiting) VALUES (1, 0);
CREATE TRIGGER tasks_begin_waiting AFTER INSERT ON tasks WHEN new.status = 'pending'
BEGIN UPDATE queue_size SET waiting = waiting + 1; END;
CREATE TRIGGER tasks_end_waiting AFTER UPDATE OF status ON tasks WHEN old.status = 'pending' AND new.status <> 'pending'
BEGIN UPDATE queue_size SET waiting = waiting - 1; END;
CREATE TRIGGER tasks_deleted_waiting AFTER DELETE ON tasks WHEN old.status = 'pending'
BEGIN UPDATE queue_size SET waiting = waiting - 1; END;

CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_use ON uploads (last_used_at);

CREATE TABLE task_references (
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  parameter TEXT NOT NULL,
  position INTEGER NOT NULL,
  upload_id TEXT NOT NULL REFERENCES uploads (id),
  PRIMARY KEY (task_id, parameter, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_references_by_upload ON task_references (upload_id);

CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY,
  status TEXT NOT NULL CHECK (status IN ('active', 'revoked', 'expired')),
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  client_context TEXT NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  credential TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  task_id TEXT NOT NULL,
  status INTEGER NOT NULL,
  response TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (credential, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_time ON idempotency (created_at);

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX events_by_task ON events (task_id, id);

CREATE TABLE audit_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  timestamp INTEGER NOT NULL,
  actor_type TEXT NOT NULL CHECK (actor_type IN ('admin', 'client', 'system')),
  actor_id TEXT NOT NULL,
  source TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT,
  outcome TEXT NOT NULL CHECK (outcome IN ('success', 'failure')),
  details TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  previous_hash TEXT,
  hash TEXT
) STRICT;
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END;

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`,
};
