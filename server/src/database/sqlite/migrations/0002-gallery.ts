import type { Migration } from "./migration.ts";

/**
 * What gallery, history and delete need. Every list is a walk along one index in the order (created_at, sequence); the columns after
 * these two make the index answer all filters by itself, so that counting touches no row. The search index is kept by triggers in
 * plain SQL, so that an earlier release that writes to this schema keeps it right as well. `ё` is folded to `е` in it, which
 * unicode61 does not do. `clock_falls` holds by how many milliseconds at most a task was submitted "before" an earlier one: dates
 * bound the order of arrival only as well as the clock did. `removals` names files whose record is gone already.
 */
export const gallery: Migration = {
  number: 2,
  name: "gallery",
  sql: `
ALTER TABLE tasks ADD COLUMN favourite INTEGER NOT NULL DEFAULT 0 CHECK (favourite IN (0, 1));
ALTER TABLE uploads ADD COLUMN sent_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX gallery_by_time ON tasks (created_at, sequence, model, type, mode, favourite) WHERE status = 'done';
CREATE INDEX gallery_by_model ON tasks (model, created_at, sequence, type, mode, favourite) WHERE status = 'done';
CREATE INDEX gallery_by_mode ON tasks (mode, created_at, sequence, model, type, favourite) WHERE status = 'done';
CREATE INDEX gallery_by_type ON tasks (type, created_at, sequence, model, mode, favourite) WHERE status = 'done';
CREATE INDEX gallery_by_pair ON tasks (model, mode, created_at, sequence, type, favourite) WHERE status = 'done';
CREATE INDEX gallery_favourites ON tasks (created_at, sequence, model, type, mode) WHERE status = 'done' AND favourite = 1;
CREATE INDEX history_by_status ON tasks (status, created_at, sequence, model, type, mode, favourite);
CREATE INDEX history_by_model ON tasks (model, created_at, sequence, type, mode, favourite, status);
CREATE INDEX history_by_mode ON tasks (mode, created_at, sequence, model, type, favourite, status);
CREATE INDEX history_by_type ON tasks (type, created_at, sequence, model, mode, favourite, status);
CREATE INDEX history_favourites ON tasks (created_at, sequence, model, type, mode, status) WHERE favourite = 1;
CREATE INDEX idempotency_by_task ON idempotency (task_id);

CREATE TABLE clock_falls (one INTEGER PRIMARY KEY CHECK (one = 1), most INTEGER NOT NULL) STRICT;
INSERT INTO clock_falls (one, most) SELECT 1, coalesce(max(highest - created_at), 0) FROM (
  SELECT created_at, max(created_at) OVER (ORDER BY sequence ROWS UNBOUNDED PRECEDING) AS highest FROM tasks);
CREATE TRIGGER tasks_clock_fell AFTER INSERT ON tasks WHEN new.created_at < (SELECT max(created_at) FROM tasks) BEGIN
  UPDATE clock_falls SET most = max(most, (SELECT max(created_at) FROM tasks) - new.created_at);
END;

CREATE TABLE removals (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE task_search USING fts5 (
  prompt, content = '', contentless_delete = 1, detail = none,
  tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3 4 5 6 7 8'
);
INSERT INTO task_search (rowid, prompt)
  SELECT sequence, replace(replace(prompt, 'ё', 'е'), 'Ё', 'Е') FROM tasks ORDER BY sequence;
CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks BEGIN
  INSERT INTO task_search (rowid, prompt) VALUES (new.sequence, replace(replace(new.prompt, 'ё', 'е'), 'Ё', 'Е'));
END;
CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks BEGIN
  DELETE FROM task_search WHERE rowid = old.sequence;
END;
CREATE TRIGGER tasks_search_update AFTER UPDATE OF prompt ON tasks BEGIN
  DELETE FROM task_search WHERE rowid = old.sequence;
  INSERT INTO task_search (rowid, prompt) VALUES (new.sequence, replace(replace(new.prompt, 'ё', 'е'), 'Ё', 'Е'));
END;
`,
};
