import type { Migration } from "./migration.ts";

/**
 * What is known of secrets without knowing them: which value is in force, which former one still counts and which never again, by
 * fingerprint; API keys by their hash. Sessions get a name that outlives a new session secret, and say what they were opened with.
 */
export const secretLives: Migration = {
  number: 12,
  name: "secrets",
  sql: `
CREATE TABLE installation (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE secret_versions (
  name TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('current', 'former', 'retired', 'revoked')),
  source TEXT NOT NULL CHECK (source IN ('environment', 'file', 'generated')),
  made_at INTEGER NOT NULL,
  replaced_at INTEGER,
  accepted_until INTEGER,
  PRIMARY KEY (name, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX secret_versions_current ON secret_versions (name) WHERE state = 'current';

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  scope TEXT NOT NULL CHECK (scope IN ('generate', 'read_only')),
  key_hash TEXT NOT NULL UNIQUE,
  environment TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

ALTER TABLE sessions ADD COLUMN session_id TEXT;
ALTER TABLE sessions ADD COLUMN secret_id TEXT;
ALTER TABLE sessions ADD COLUMN made_with TEXT;
UPDATE sessions SET session_id = token_hash;
CREATE UNIQUE INDEX sessions_by_id ON sessions (session_id);

ALTER TABLE admin_sessions ADD COLUMN session_id TEXT;
ALTER TABLE admin_sessions ADD COLUMN secret_id TEXT;
ALTER TABLE admin_sessions ADD COLUMN made_with TEXT;
UPDATE admin_sessions SET session_id = token_hash;
CREATE UNIQUE INDEX admin_sessions_by_id ON admin_sessions (session_id);

ALTER TABLE worker_accounts ADD COLUMN next_worker_key TEXT;
ALTER TABLE worker_accounts ADD COLUMN worker_key_changed_at INTEGER;
`,
};
