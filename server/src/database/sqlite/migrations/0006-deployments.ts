import type { Migration } from "./migration.ts";

/**
 * Deploys of the worker. They outlive the account, and its name may be given again: `account_id` tells whose they are. Of one account
 * one may wait and one may run.
 */
export const deployments: Migration = {
  number: 6,
  name: "deployments",
  sql: `
CREATE TABLE deployments (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  account_id TEXT NOT NULL,
  workspace TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 1),
  kind TEXT NOT NULL CHECK (kind IN ('deploy', 'rollback')),
  rollback_of TEXT,
  status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed')),
  error_code TEXT,
  error_detail TEXT,
  base_url TEXT,
  source_hash TEXT NOT NULL,
  settings TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  cancel_requested_at INTEGER,
  queued_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  log_lines INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account_id, version),
  CHECK ((kind = 'rollback') = (rollback_of IS NOT NULL)),
  CHECK ((status = 'failed') = (error_code IS NOT NULL)),
  CHECK ((status IN ('done', 'failed')) = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX deployments_by_workspace ON deployments (workspace, number);
CREATE UNIQUE INDEX deployments_waiting ON deployments (account_id) WHERE status = 'queued';
CREATE UNIQUE INDEX deployments_running ON deployments (account_id) WHERE status = 'running';

CREATE TABLE deployment_log (
  deployment INTEGER NOT NULL REFERENCES deployments (number) ON DELETE CASCADE,
  line INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (deployment, line)
) STRICT, WITHOUT ROWID;
`,
};
