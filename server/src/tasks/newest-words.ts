/**
 * Where the newest tasks do not stand in `task_search` yet, as they go there some dozens at a time: until then a search puts their words
 * into an index of its own, in memory and by the same rules, and asks that.
 */
import type { Prepare } from "../database/database.ts";
import type { Narrowing, Search } from "./filters.ts";

const table = "temp.newest_search";

/** The last sequence of which `task_search` knows; newer ones are looked for here. */
export async function searchEnd(prepare: Prepare): Promise<number> {
  if (!prepare.dialect.search.newestApart) return Number.MAX_SAFE_INTEGER;
  return Number((await prepare("SELECT upto FROM search_end").get())?.upto ?? 0);
}

/**
 * Sequences, rising, of the newest tasks that a search finds; none for a search that has them in its own index. `prepare` is that of a
 * reading, which others wait for: between filling and asking nobody else fills.
 */
export async function newestWithWords(
  prepare: Prepare,
  { from, to }: Pick<Narrowing, "from" | "to">,
  search: Search,
): Promise<number[]> {
  const { search: tables } = prepare.dialect;
  if (!tables.newestApart || search.table !== "task_search" || !(await fillNewest(prepare))) return [];
  const rows = await prepare(
    `SELECT found.rowid AS sequence FROM ${table} AS found CROSS JOIN tasks ON tasks.sequence = found.rowid
     WHERE found.newest_search MATCH ? AND status = coalesce(?, status) AND created_at BETWEEN ? AND ?
     ORDER BY found.rowid`,
  ).all(
    tables.expression(search.wanted),
    search.status,
    from ?? Number.MIN_SAFE_INTEGER,
    to ?? Number.MAX_SAFE_INTEGER,
  );
  return rows.map(({ sequence }) => Number(sequence));
}

/** False when there are none. What was filled in holds until the next commit, which SQLite counts for each connection. */
async function fillNewest(prepare: Prepare): Promise<boolean> {
  const newest = "sequence > (SELECT upto FROM search_end)";
  if ((await prepare(`SELECT 1 AS one FROM tasks WHERE ${newest} LIMIT 1`).get()) === undefined) return false;
  await prepare("CREATE TABLE IF NOT EXISTS temp.newest_filled (version INTEGER)").run();
  const version = Number((await prepare("PRAGMA data_version").get())?.data_version);
  const filled = await prepare("SELECT version FROM temp.newest_filled").get();
  if (filled?.version === version) return true;
  await prepare("DELETE FROM temp.newest_filled").run();
  await prepare(
    `CREATE VIRTUAL TABLE IF NOT EXISTS ${table} USING fts5 (
       prompt, content = '', contentless_delete = 1, detail = none, tokenize = 'unicode61 remove_diacritics 2'
     )`,
  ).run();
  await prepare(`INSERT INTO ${table} (newest_search) VALUES ('delete-all')`).run();
  await prepare(`INSERT INTO ${table} (rowid, prompt) SELECT sequence, words FROM search_words WHERE ${newest}`).run();
  await prepare("INSERT INTO temp.newest_filled (version) VALUES (?)").run(version);
  return true;
}
