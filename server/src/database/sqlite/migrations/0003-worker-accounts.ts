import type { Migration } from "./migration.ts";

/**
 * Worker accounts, what they have offered and how their checks went; sessions of operators. A deleted account keeps its row, hidden,
 * until its last run has ended: the run needs the credentials.
 */
export const workerAccounts: Migration = {
  number: 3,
  name: "worker accounts and admin sessions",
  sql: `
CREATE TABLE worker_accounts (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  label TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('modal', 'http')),
  base_url TEXT,
  allow_plain_http INTEGER NOT NULL DEFAULT 0 CHECK (allow_plain_http IN (0, 1)),
  status TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'failed', 'disabled')),
  draining INTEGER NOT NULL DEFAULT 0 CHECK (draining IN (0, 1)),
  token_id TEXT,
  token_secret TEXT,
  worker_key TEXT,
  credentials_changed_at INTEGER NOT NULL,
  slots_image INTEGER NOT NULL CHECK (slots_image BETWEEN 0 AND 64),
  slots_video INTEGER NOT NULL CHECK (slots_video BETWEEN 0 AND 64),
  min_containers INTEGER NOT NULL DEFAULT 0 CHECK (min_containers BETWEEN 0 AND 64),
  max_containers INTEGER NOT NULL DEFAULT 1 CHECK (max_containers BETWEEN 1 AND 64),
  last_health_at INTEGER,
  last_health_status TEXT CHECK (last_health_status IN ('ok', 'failed')),
  last_latency_ms INTEGER,
  last_error_code TEXT,
  last_error TEXT,
  last_health TEXT,
  bad_checks INTEGER NOT NULL DEFAULT 0,
  next_check_at INTEGER,
  use_count INTEGER NOT NULL DEFAULT 0,
  last_used_at INTEGER,
  revision INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  CHECK (max_containers >= min_containers)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX worker_accounts_by_workspace ON worker_accounts (workspace);

CREATE TABLE worker_account_models (
  account_id TEXT NOT NULL REFERENCES worker_accounts (id) ON DELETE CASCADE,
  model TEXT NOT NULL,
  modes TEXT NOT NULL,
  offered INTEGER NOT NULL CHECK (offered IN (0, 1)),
  first_offered_at INTEGER NOT NULL,
  last_offered_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE worker_account_checks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL REFERENCES worker_accounts (id) ON DELETE CASCADE,
  checked_at INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'failed')),
  latency_ms INTEGER,
  error_code TEXT
) STRICT;
CREATE INDEX worker_account_checks_by_account ON worker_account_checks (account_id, id);

CREATE TABLE admin_sessions (
  token_hash TEXT PRIMARY KEY,
  status TEXT NOT NULL CHECK (status IN ('active', 'revoked', 'expired')),
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_activity_at INTEGER NOT NULL,
  client_context TEXT NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_events_by_time ON audit_events (timestamp, id);
CREATE INDEX audit_events_by_action ON audit_events (action, id);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, id);
CREATE INDEX tasks_by_executor ON tasks (executor) WHERE status = 'processing';
`,
};
