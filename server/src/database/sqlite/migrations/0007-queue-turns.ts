import type { Migration } from "./migration.ts";

/**
 * Who goes first. `submitted_by` tells credentials apart; each that has tasks waiting has a row in `queue_turns` with its place in the
 * rotation and how many wait. Triggers keep the rows, so that an earlier release that writes to this schema keeps them right as well:
 * whoever begins to wait joins at the end. Tasks that an operator put to the front stand outside the rotation. `tasks_ended` answers
 * statistics by itself.
 */
export const queueTurns: Migration = {
  number: 7,
  name: "queue turns",
  sql: `
ALTER TABLE tasks ADD COLUMN submitted_by TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN front INTEGER NOT NULL DEFAULT 0 CHECK (front IN (0, 1));
CREATE INDEX tasks_in_turn ON tasks (submitted_by, sequence, model, mode, workspace) WHERE status = 'pending' AND front = 0;
CREATE INDEX tasks_in_front ON tasks (sequence, model, mode, workspace) WHERE status = 'pending' AND front = 1;
CREATE INDEX tasks_ended ON tasks (finished_at, status, error_code, executor, leased_ms, created_at, started_at)
  WHERE finished_at IS NOT NULL;

CREATE TABLE queue_turns (
  credential TEXT PRIMARY KEY,
  place INTEGER NOT NULL,
  waiting INTEGER NOT NULL CHECK (waiting >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_turns_by_place ON queue_turns (place, credential, waiting);
INSERT INTO queue_turns (credential, place, waiting)
  SELECT '', 1, count(*) FROM tasks WHERE status = 'pending' HAVING count(*) > 0;

CREATE TRIGGER tasks_join_turns AFTER INSERT ON tasks WHEN new.status = 'pending' AND new.front = 0 BEGIN
  INSERT INTO queue_turns (credential, place, waiting)
    VALUES (new.submitted_by, coalesce((SELECT max(place) FROM queue_turns), 0) + 1, 1)
    ON CONFLICT (credential) DO UPDATE SET waiting = waiting + 1;
END;
CREATE TRIGGER tasks_rejoin_turns AFTER UPDATE OF status, front ON tasks
WHEN NOT (old.status = 'pending' AND old.front = 0) AND new.status = 'pending' AND new.front = 0 BEGIN
  INSERT INTO queue_turns (credential, place, waiting)
    VALUES (new.submitted_by, coalesce((SELECT max(place) FROM queue_turns), 0) + 1, 1)
    ON CONFLICT (credential) DO UPDATE SET waiting = waiting + 1;
END;
CREATE TRIGGER tasks_leave_turns AFTER UPDATE OF status, front ON tasks
WHEN old.status = 'pending' AND old.front = 0 AND NOT (new.status = 'pending' AND new.front = 0) BEGIN
  UPDATE queue_turns SET waiting = waiting - 1 WHERE credential = old.submitted_by;
  DELETE FROM queue_turns WHERE credential = old.submitted_by AND waiting = 0;
END;
CREATE TRIGGER tasks_deleted_turns AFTER DELETE ON tasks WHEN old.status = 'pending' AND old.front = 0 BEGIN
  UPDATE queue_turns SET waiting = waiting - 1 WHERE credential = old.submitted_by;
  DELETE FROM queue_turns WHERE credential = old.submitted_by AND waiting = 0;
END;
`,
};
