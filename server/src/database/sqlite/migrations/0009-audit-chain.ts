import type { Migration } from "./migration.ts";

/**
 * Rows of the audit log form a chain of hashes with one end, which `audit_head` names. The database itself refuses a second row after
 * one, a changed row, and a deletion that no signed checkpoint of the removed rows stands for. Rows without a hash are of the releases
 * before, also of one that ran again in between; the next start takes them in, and that is the one update there is.
 */
export const auditChain: Migration = {
  number: 9,
  name: "audit chain",
  sql: `
CREATE TABLE audit_head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id INTEGER NOT NULL,
  hash TEXT NOT NULL,
  rows INTEGER NOT NULL,
  checkpoint INTEGER NOT NULL
) STRICT;
INSERT INTO audit_head VALUES (1, 0, '${"0".repeat(64)}', 0, 0);

CREATE TABLE audit_checkpoints (
  sequence INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('start', 'planned', 'demand', 'export', 'prune', 'stop')),
  created_at INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  hash TEXT NOT NULL,
  rows INTEGER NOT NULL,
  previous TEXT NOT NULL UNIQUE,
  key_id TEXT NOT NULL,
  signature TEXT NOT NULL
) STRICT;

CREATE TABLE audit_pruning (last_id INTEGER PRIMARY KEY) STRICT;

CREATE UNIQUE INDEX audit_events_by_previous_hash ON audit_events (previous_hash) WHERE previous_hash IS NOT NULL;
CREATE INDEX audit_events_unchained ON audit_events (id) WHERE hash IS NULL;

DROP TRIGGER audit_events_no_update;
DROP TRIGGER audit_events_no_delete;

CREATE TRIGGER audit_events_no_replace BEFORE INSERT ON audit_events
WHEN NEW.id <> -1 AND (
  NEW.id <= (SELECT id FROM audit_head) OR EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id))
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;

CREATE TRIGGER audit_events_one_chain BEFORE INSERT ON audit_events
WHEN NEW.hash IS NOT NULL AND NEW.previous_hash IS NOT (SELECT hash FROM audit_head)
BEGIN SELECT RAISE(ABORT, 'audit events are never out of their chain'); END;

CREATE TRIGGER audit_events_head_inserted AFTER INSERT ON audit_events WHEN NEW.hash IS NOT NULL
BEGIN UPDATE audit_head SET id = NEW.id, hash = NEW.hash, rows = rows + 1; END;

CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
WHEN OLD.hash IS NOT NULL OR NEW.hash IS NULL OR OLD.id <= (SELECT id FROM audit_head)
  OR NEW.previous_hash IS NOT (SELECT hash FROM audit_head)
  OR NEW.id IS NOT OLD.id OR NEW.timestamp IS NOT OLD.timestamp OR NEW.actor_type IS NOT OLD.actor_type
  OR NEW.actor_id IS NOT OLD.actor_id OR NEW.source IS NOT OLD.source OR NEW.action IS NOT OLD.action
  OR NEW.target IS NOT OLD.target OR NEW.outcome IS NOT OLD.outcome OR NEW.details IS NOT OLD.details
  OR NEW.correlation_id IS NOT OLD.correlation_id
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;

CREATE TRIGGER audit_events_head_updated AFTER UPDATE ON audit_events
BEGIN UPDATE audit_head SET id = NEW.id, hash = NEW.hash, rows = rows + 1; END;

CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM audit_pruning WHERE last_id >= OLD.id)
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END;

CREATE TRIGGER audit_pruning_is_signed BEFORE INSERT ON audit_pruning
WHEN NOT EXISTS (
  SELECT 1 FROM audit_checkpoints
  WHERE sequence = (SELECT checkpoint FROM audit_head) AND kind = 'prune' AND last_id = NEW.last_id)
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted without a checkpoint'); END;
CREATE TRIGGER audit_pruning_no_update BEFORE UPDATE ON audit_pruning
BEGIN SELECT RAISE(ABORT, 'audit pruning is never changed'); END;

CREATE TRIGGER audit_checkpoints_in_order BEFORE INSERT ON audit_checkpoints
WHEN NEW.sequence <> (SELECT checkpoint + 1 FROM audit_head)
BEGIN SELECT RAISE(ABORT, 'audit checkpoints are never out of order'); END;
CREATE TRIGGER audit_checkpoints_counted AFTER INSERT ON audit_checkpoints
BEGIN UPDATE audit_head SET checkpoint = NEW.sequence; END;
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'audit checkpoints are never changed'); END;
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'audit checkpoints are never deleted'); END;

CREATE TRIGGER audit_head_true BEFORE UPDATE ON audit_head
WHEN NOT (
  (NEW.id = OLD.id AND NEW.hash = OLD.hash AND NEW.rows = OLD.rows AND NEW.checkpoint = OLD.checkpoint + 1
    AND EXISTS (SELECT 1 FROM audit_checkpoints WHERE sequence = NEW.checkpoint))
  OR (NEW.id > OLD.id AND NEW.rows = OLD.rows + 1 AND NEW.checkpoint = OLD.checkpoint
    AND EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id AND hash = NEW.hash AND previous_hash = OLD.hash)))
BEGIN SELECT RAISE(ABORT, 'the end of the audit chain is never changed'); END;
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the end of the audit chain is never changed'); END;
CREATE TRIGGER audit_head_no_insert BEFORE INSERT ON audit_head
BEGIN SELECT RAISE(ABORT, 'the end of the audit chain is never changed'); END;
`,
};
