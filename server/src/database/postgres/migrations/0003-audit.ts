import type { PostgresMigration } from "./migration.ts";

const definer = `LANGUAGE plpgsql SECURITY DEFINER
SET search_path = "{{schema}}", pg_temp`;

/**
 * The audit log: rows form a chain of hashes with one end, which `audit_head` names. The database itself refuses a second row after one, a
 * changed row, and a deletion that no signed checkpoint of the removed rows stands for.
 *
 * What keeps the end runs with the rights of the owner of the tables. So a gateway may use a role that can add rows and nothing else:
 * with it, nobody who holds the gateway's password changes or deletes a row, triggers or not. What a signed checkpoint lets go, goes when
 * `audit_pruning` is told so, with the owner's rights too.
 */
export const auditTables: PostgresMigration = {
  number: 3,
  name: "audit log",
  sql: `
CREATE TABLE audit_events (
  id BIGINT PRIMARY KEY,
  timestamp BIGINT NOT NULL,
  actor_type TEXT COLLATE "C" NOT NULL CHECK (actor_type IN ('admin', 'client', 'system')),
  actor_id TEXT COLLATE "C" NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  target TEXT COLLATE "C",
  outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('success', 'failure')),
  details TEXT COLLATE "C" NOT NULL,
  correlation_id TEXT COLLATE "C" NOT NULL,
  previous_hash TEXT COLLATE "C",
  hash TEXT COLLATE "C"
);
CREATE INDEX audit_events_by_time ON audit_events (timestamp, id);
CREATE INDEX audit_events_by_action ON audit_events (action, id);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, id);
CREATE UNIQUE INDEX audit_events_by_previous_hash ON audit_events (previous_hash) WHERE previous_hash IS NOT NULL;
CREATE INDEX audit_events_unchained ON audit_events (id) WHERE hash IS NULL;

CREATE TABLE audit_head (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  id BIGINT NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  rows BIGINT NOT NULL,
  checkpoint BIGINT NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE audit_checkpoints (
  sequence BIGINT PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('start', 'planned', 'demand', 'export', 'prune', 'stop')),
  created_at BIGINT NOT NULL,
  last_id BIGINT NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  rows BIGINT NOT NULL,
  previous TEXT COLLATE "C" NOT NULL UNIQUE,
  key_id TEXT COLLATE "C" NOT NULL,
  signature TEXT COLLATE "C" NOT NULL
);

CREATE TABLE audit_pruning (
  last_id BIGINT PRIMARY KEY
);
INSERT INTO audit_head VALUES (1, 0, '${"0".repeat(64)}', 0, 0);

CREATE FUNCTION audit_refuse() RETURNS TRIGGER LANGUAGE plpgsql AS $trigger$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0];
END $trigger$;

CREATE FUNCTION audit_events_inserting() RETURNS TRIGGER ${definer} AS $trigger$
DECLARE
  head audit_head;
BEGIN
  SELECT * INTO head FROM audit_head;
  IF NEW.id <= head.id OR EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id) THEN
    RAISE EXCEPTION 'audit events are never changed';
  END IF;
  IF NEW.hash IS NOT NULL AND NEW.previous_hash IS DISTINCT FROM head.hash THEN
    RAISE EXCEPTION 'audit events are never out of their chain';
  END IF;
  RETURN NEW;
END $trigger$;
CREATE TRIGGER audit_events_inserting BEFORE INSERT ON audit_events
FOR EACH ROW EXECUTE FUNCTION audit_events_inserting();

CREATE FUNCTION audit_events_chained() RETURNS TRIGGER ${definer} AS $trigger$
BEGIN
  UPDATE audit_head SET id = NEW.id, hash = NEW.hash, rows = rows + 1;
  RETURN NULL;
END $trigger$;
CREATE TRIGGER audit_events_chained AFTER INSERT ON audit_events
FOR EACH ROW WHEN (NEW.hash IS NOT NULL) EXECUTE FUNCTION audit_events_chained();
CREATE TRIGGER audit_events_taken_in AFTER UPDATE ON audit_events
FOR EACH ROW EXECUTE FUNCTION audit_events_chained();

CREATE FUNCTION audit_events_updating() RETURNS TRIGGER ${definer} AS $trigger$
DECLARE
  head audit_head;
BEGIN
  SELECT * INTO head FROM audit_head;
  IF OLD.hash IS NOT NULL OR NEW.hash IS NULL OR OLD.id <= head.id OR NEW.previous_hash IS DISTINCT FROM head.hash
    OR to_jsonb(NEW) - 'previous_hash' - 'hash' IS DISTINCT FROM to_jsonb(OLD) - 'previous_hash' - 'hash'
  THEN RAISE EXCEPTION 'audit events are never changed';
  END IF;
  RETURN NEW;
END $trigger$;
CREATE TRIGGER audit_events_updating BEFORE UPDATE ON audit_events
FOR EACH ROW EXECUTE FUNCTION audit_events_updating();

CREATE FUNCTION audit_events_deleting() RETURNS TRIGGER ${definer} AS $trigger$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM audit_pruning WHERE last_id >= OLD.id) THEN
    RAISE EXCEPTION 'audit events are never deleted';
  END IF;
  RETURN OLD;
END $trigger$;
CREATE TRIGGER audit_events_deleting BEFORE DELETE ON audit_events
FOR EACH ROW EXECUTE FUNCTION audit_events_deleting();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse('audit events are never deleted');

CREATE FUNCTION audit_pruning_inserting() RETURNS TRIGGER ${definer} AS $trigger$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM audit_checkpoints
    WHERE sequence = (SELECT checkpoint FROM audit_head) AND kind = 'prune' AND last_id = NEW.last_id)
  THEN RAISE EXCEPTION 'audit events are never deleted without a checkpoint';
  END IF;
  RETURN NEW;
END $trigger$;
CREATE TRIGGER audit_pruning_inserting BEFORE INSERT ON audit_pruning
FOR EACH ROW EXECUTE FUNCTION audit_pruning_inserting();
CREATE FUNCTION audit_pruning_inserted() RETURNS TRIGGER ${definer} AS $trigger$
BEGIN
  DELETE FROM audit_events WHERE id <= NEW.last_id;
  RETURN NULL;
END $trigger$;
CREATE TRIGGER audit_pruning_inserted AFTER INSERT ON audit_pruning
FOR EACH ROW EXECUTE FUNCTION audit_pruning_inserted();
CREATE TRIGGER audit_pruning_no_update BEFORE UPDATE ON audit_pruning
FOR EACH ROW EXECUTE FUNCTION audit_refuse('audit pruning is never changed');

CREATE FUNCTION audit_checkpoints_inserting() RETURNS TRIGGER ${definer} AS $trigger$
BEGIN
  IF NEW.sequence <> (SELECT checkpoint + 1 FROM audit_head) THEN
    RAISE EXCEPTION 'audit checkpoints are never out of order';
  END IF;
  RETURN NEW;
END $trigger$;
CREATE TRIGGER audit_checkpoints_inserting BEFORE INSERT ON audit_checkpoints
FOR EACH ROW EXECUTE FUNCTION audit_checkpoints_inserting();
CREATE FUNCTION audit_checkpoints_counted() RETURNS TRIGGER ${definer} AS $trigger$
BEGIN
  UPDATE audit_head SET checkpoint = NEW.sequence;
  RETURN NULL;
END $trigger$;
CREATE TRIGGER audit_checkpoints_counted AFTER INSERT ON audit_checkpoints
FOR EACH ROW EXECUTE FUNCTION audit_checkpoints_counted();
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints
FOR EACH ROW EXECUTE FUNCTION audit_refuse('audit checkpoints are never changed');
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
FOR EACH ROW EXECUTE FUNCTION audit_refuse('audit checkpoints are never deleted');
CREATE TRIGGER audit_checkpoints_no_truncate BEFORE TRUNCATE ON audit_checkpoints
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse('audit checkpoints are never deleted');

CREATE FUNCTION audit_head_updating() RETURNS TRIGGER ${definer} AS $trigger$
BEGIN
  IF (NEW.id = OLD.id AND NEW.hash = OLD.hash AND NEW.rows = OLD.rows AND NEW.checkpoint = OLD.checkpoint + 1
      AND EXISTS (SELECT 1 FROM audit_checkpoints WHERE sequence = NEW.checkpoint))
    OR (NEW.id > OLD.id AND NEW.rows = OLD.rows + 1 AND NEW.checkpoint = OLD.checkpoint
      AND EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id AND hash = NEW.hash AND previous_hash = OLD.hash))
  THEN RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the end of the audit chain is never changed';
END $trigger$;
CREATE TRIGGER audit_head_updating BEFORE UPDATE ON audit_head
FOR EACH ROW EXECUTE FUNCTION audit_head_updating();
CREATE TRIGGER audit_head_no_change BEFORE INSERT OR DELETE ON audit_head
FOR EACH ROW EXECUTE FUNCTION audit_refuse('the end of the audit chain is never changed');
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse('the end of the audit chain is never changed');
`,
};
