import type { Migration } from "./migration.ts";

/** So many new tasks go into `task_search` together. */
const together = 64;
const end = "(SELECT upto FROM search_end)";

/** `ё` counts as `е`, which the tokenizer does not do by itself. */
function wordsOf(row: "new" | "old" | "tasks"): string {
  const mark = "char(57344)";
  return `(replace(replace(replace(${row}.prompt, 'ё', 'е'), 'Ё', 'Е'), ${mark}, ' ')
    || ' ' || ${mark} || 'm' || hex(${row}.model) || ' ' || ${mark} || 't' || hex(${row}.type)
    || ' ' || ${mark} || 'o' || hex(${row}.mode)
    || iif(${row}.favourite = 1, ' ' || ${mark} || 'f', '') || iif(${row}.status = 'failed', ' ' || ${mark} || 'e', ''))`;
}

/**
 * A beginning longer than the longest prefix is found by reading all that begins so; up to there it costs as much as a whole word.
 * Submits wait for `task_search`, which is therefore the lighter one.
 */
function tableOf(name: "task_search" | "gallery_search", longestPrefix: number): string {
  const prefixes = Array.from({ length: longestPrefix }, (_, index) => index + 1).join(" ");
  return `CREATE VIRTUAL TABLE ${name} USING fts5 (
  prompt, content = '', contentless_delete = 1, detail = none,
  tokenize = 'unicode61 remove_diacritics 2', prefix = '${prefixes}'
);
INSERT INTO ${name} (${name}, rank) VALUES ('pgsz', 256);`;
}

const differ =
  "(new.prompt <> old.prompt OR new.model <> old.model OR new.type <> old.type OR new.mode <> old.mode OR new.favourite <> old.favourite)";

/**
 * Search with filters in one step. Beside its words a task's row in the search index holds what filters ask for as words of their
 * own: a mark that nobody can type (U+E000, taken out of prompts), a letter and the name in hexadecimal, so that no name is ever
 * cut in two. `gallery_search` holds the done tasks alone; `task_search`, which earlier releases read as well, holds all of them.
 * Small pages let two long lists of rows be passed over in smaller steps, and make a merge of the index's parts a shorter pause.
 *
 * What a submit costs is mostly the index of words, and one change of it costs little more for many tasks than for one. So the newest
 * tasks stand outside `task_search` until there are 64 of them: those after `search_end`, which a search looks at one by one.
 * For the same reason the indices of the history hold tasks that have ended; those that wait or run are few, and are looked through.
 */
export const searchFilters: Migration = {
  number: 5,
  name: "search-filters",
  sql: `
DROP INDEX history_by_status;
DROP INDEX history_by_model;
DROP INDEX history_by_mode;
DROP INDEX history_by_type;
CREATE INDEX history_failed ON tasks (created_at, sequence, model, type, mode, favourite) WHERE status = 'failed';
CREATE INDEX ended_by_model ON tasks (model, created_at, sequence, type, mode, favourite, status) WHERE status IN ('done', 'failed');
CREATE INDEX ended_by_mode ON tasks (mode, created_at, sequence, model, type, favourite, status) WHERE status IN ('done', 'failed');
CREATE INDEX ended_by_type ON tasks (type, created_at, sequence, model, mode, favourite, status) WHERE status IN ('done', 'failed');

DROP TRIGGER tasks_search_insert;
DROP TRIGGER tasks_search_update;
DROP TRIGGER tasks_search_delete;
DROP TABLE task_search;
${tableOf("task_search", 8)}
CREATE VIEW search_words AS SELECT sequence, ${wordsOf("tasks")} AS words FROM tasks;
INSERT INTO task_search (rowid, prompt) SELECT sequence, words FROM search_words ORDER BY sequence;
CREATE TABLE search_end (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL) STRICT;
INSERT INTO search_end (one, upto) SELECT 1, coalesce(max(sequence), 0) FROM tasks;
CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks WHEN new.sequence >= ${end} + ${together} BEGIN
  INSERT INTO task_search (rowid, prompt)
    SELECT sequence, words FROM search_words WHERE sequence > ${end} ORDER BY sequence;
  UPDATE search_end SET upto = (SELECT max(sequence) FROM tasks);
END;
CREATE TRIGGER tasks_search_insert_again AFTER INSERT ON tasks WHEN new.sequence <= ${end} BEGIN
  INSERT INTO task_search (rowid, prompt) VALUES (new.sequence, ${wordsOf("new")});
END;
CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks WHEN old.sequence <= ${end} BEGIN
  DELETE FROM task_search WHERE rowid = old.sequence;
END;
CREATE TRIGGER tasks_search_update AFTER UPDATE OF prompt, model, type, mode, favourite, status ON tasks
WHEN (${differ} OR (new.status = 'failed') <> (old.status = 'failed')) AND old.sequence <= ${end} BEGIN
  DELETE FROM task_search WHERE rowid = old.sequence;
  INSERT INTO task_search (rowid, prompt) VALUES (new.sequence, ${wordsOf("new")});
END;

${tableOf("gallery_search", 16)}
INSERT INTO gallery_search (rowid, prompt)
  SELECT sequence, ${wordsOf("tasks")} FROM tasks WHERE status = 'done' ORDER BY sequence;
CREATE TRIGGER tasks_gallery_insert AFTER INSERT ON tasks WHEN new.status = 'done' BEGIN
  INSERT INTO gallery_search (rowid, prompt) VALUES (new.sequence, ${wordsOf("new")});
END;
CREATE TRIGGER tasks_gallery_delete AFTER DELETE ON tasks WHEN old.status = 'done' BEGIN
  DELETE FROM gallery_search WHERE rowid = old.sequence;
END;
CREATE TRIGGER tasks_gallery_update AFTER UPDATE OF prompt, model, type, mode, favourite, status ON tasks
WHEN (old.status = 'done' OR new.status = 'done')
  AND (${differ} OR new.status <> old.status) BEGIN
  DELETE FROM gallery_search WHERE rowid = old.sequence AND old.status = 'done';
  INSERT INTO gallery_search (rowid, prompt) SELECT new.sequence, ${wordsOf("new")} WHERE new.status = 'done';
END;
`,
};
