/**
 * The newest tasks do not stand in `task_search` yet: they go there some dozens at a time. Until then a search puts their words into an
 * index of its own, in memory and by the same rules, and asks that.
 */
import type { Context } from "../context/context.ts";
import type { Database } from "../database/database.ts";
import type { Narrowing, Search } from "./filters.ts";

const table = "temp.newest_search";
const filledAt = new WeakMap<Database, number>();

/** The last sequence of which `task_search` knows; newer ones are looked for here. */
export function searchEnd({ database }: Pick<Context, "database">): number {
  return Number(database.prepareRead("SELECT upto FROM search_end").get()?.upto ?? 0);
}

/** Sequences, rising, of the newest tasks that a search finds; none for a search that has them in its own index. */
export function newestWithWords(
  context: Pick<Context, "database">,
  { from, to }: Pick<Narrowing, "from" | "to">,
  search: Search,
): number[] {
  if (search.table !== "task_search" || !fillNewest(context.database)) return [];
  return context.database
    .prepareRead(
      `SELECT found.rowid AS sequence FROM ${table} AS found CROSS JOIN tasks ON tasks.sequence = found.rowid
       WHERE found.newest_search MATCH ? AND status = coalesce(?, status) AND created_at BETWEEN ? AND ?
       ORDER BY found.rowid`,
    )
    .all(search.expression, search.status, from ?? Number.MIN_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER)
    .map(({ sequence }) => Number(sequence));
}

/** False when there are none. What was filled in holds until the next commit. */
function fillNewest(database: Database): boolean {
  const { prepareRead } = database;
  const newest = "sequence > (SELECT upto FROM search_end)";
  if (prepareRead(`SELECT 1 AS one FROM tasks WHERE ${newest} LIMIT 1`).get() === undefined) return false;
  const { commits } = database;
  if (filledAt.get(database) === commits) return true;
  filledAt.delete(database);
  prepareRead(
    `CREATE VIRTUAL TABLE IF NOT EXISTS ${table} USING fts5 (
       prompt, content = '', contentless_delete = 1, detail = none, tokenize = 'unicode61 remove_diacritics 2'
     )`,
  ).run();
  prepareRead(`INSERT INTO ${table} (newest_search) VALUES ('delete-all')`).run();
  prepareRead(`INSERT INTO ${table} (rowid, prompt) SELECT sequence, words FROM search_words WHERE ${newest}`).run();
  filledAt.set(database, commits);
  return true;
}
