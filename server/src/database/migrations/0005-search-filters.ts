import type { Migration } from "./migration.ts";

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
 * Every submit waits for `task_search`, which is therefore the lighter one.
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
 */
export const searchFilters: Migration = {
  number: 5,
  name: "search-filters",
  sql: `
DROP TRIGGER tasks_search_insert;
DROP TRIGGER tasks_search_update;
DROP TRIGGER tasks_search_delete;
DROP TABLE task_search;
${tableOf("task_search", 8)}
INSERT INTO task_search (rowid, prompt) SELECT sequence, ${wordsOf("tasks")} FROM tasks ORDER BY sequence;
CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks BEGIN
  INSERT INTO task_search (rowid, prompt) VALUES (new.sequence, ${wordsOf("new")});
END;
CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks BEGIN
  DELETE FROM task_search WHERE rowid = old.sequence;
END;
CREATE TRIGGER tasks_search_update AFTER UPDATE OF prompt, model, type, mode, favourite, status ON tasks
WHEN ${differ} OR (new.status = 'failed') <> (old.status = 'failed') BEGIN
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
