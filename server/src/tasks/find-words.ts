/**
 * Searching. The index of words answers filters too, so a page touches only the tasks on it and a count touches none. What the index
 * does not know is looked up task by task: who waits or runs, and dates where the clock was set back.
 */
import type { Context } from "../context/context.ts";
import type { Row, SqlValue } from "../database/database.ts";
import type { Narrowing, Search } from "./filters.ts";
import { newestWithWords, searchEnd } from "./newest-words.ts";
import { throughAreas, type Walk, whereClause } from "./walk.ts";

// Up to here it is cheaper to look at each task that the filters let through than to walk the words past all the others.
const FEW = 500;
const SPARSE = 100;
// Milliseconds. A clock that was set back further makes dates a poor bound of the order of arrival.
const SMALL_FALL = 60_000;

/** Tasks with the words, in order of arrival. */
export function walkWords(context: Pick<Context, "database">, wanted: Walk, search: Search): Row[] {
  if (search.expression === "") return [];
  const few = fewWithWords(context, wanted.narrowing, search);
  const sequences = few === null ? withNewest(context, wanted, search) : pick(wanted, few);
  const read = context.database.prepareRead("SELECT * FROM tasks WHERE sequence = ?");
  return sequences.map((sequence) => read.get(sequence)).filter((row) => row !== undefined);
}

/** How many tasks have the words, up to `limit`. */
export function countWords(
  context: Pick<Context, "database">,
  narrowing: Narrowing,
  search: Search,
  limit: number,
): number {
  if (search.expression === "") return 0;
  const few = fewWithWords(context, narrowing, search);
  if (few !== null) return few.length;
  const newest = newestWithWords(context, narrowing, search).length;
  return Math.min(limit, newest + countUpTo(context, inWords(context, narrowing, search), search, limit));
}

/** The newest, which stand outside the index of words, come after all that stand in it. */
function withNewest(context: Pick<Context, "database">, wanted: Walk, search: Search): number[] {
  const { narrowing, order, limit, offset } = wanted;
  const newest = pick(
    { ...wanted, limit: Number.MAX_SAFE_INTEGER, offset: 0 },
    newestWithWords(context, narrowing, search),
  );
  if (newest.length === 0) return sequencesOf(context, wanted, search);
  if (order === "desc") {
    const first = newest.slice(offset, offset + limit);
    const left = { offset: Math.max(0, offset - newest.length), limit: limit - first.length };
    return left.limit === 0 ? first : [...first, ...sequencesOf(context, { ...wanted, ...left }, search)];
  }
  const first = sequencesOf(context, wanted, search);
  if (first.length === limit) return first;
  // A page that begins behind the whole index passes over some of the newest; only pages by number, without a place, begin so far.
  const passed = first.length > 0 ? offset : countUpTo(context, inWords(context, narrowing, search), search, offset);
  return [...first, ...newest.slice(offset - passed, offset - passed + limit - first.length)];
}

/**
 * Below a place the newest are looked for in two stretches, each read upwards: downwards the index comes from its end to the place,
 * which costs the more the deeper the place lies. What is too sparse for that is walked down.
 */
function sequencesOf(context: Pick<Context, "database">, wanted: Walk, search: Search): number[] {
  const { narrowing, order, place, limit, offset } = wanted;
  let { above, below } = datesOf(context, narrowing);
  if (place !== null && order === "asc") above = Math.max(above, place.sequence);
  if (place !== null && order === "desc") below = Math.min(below, place.sequence);
  const read = (bounds: Between, part: Pick<Walk, "order" | "limit" | "offset">) =>
    stretch(context, inWords(context, narrowing, search, bounds), search, part);
  const bounded = inWords(context, narrowing, search, { above, below });
  // Downwards the index is slow to leap: what is found but now and then is read upwards, all of it.
  if (order === "desc" && countUpTo(context, bounded, search, SPARSE + 1) <= SPARSE) {
    const upwards = read({ above, below }, { order: "asc", limit: SPARSE, offset: 0 });
    return upwards.reverse().slice(offset, offset + limit);
  }
  const isDeep = order === "desc" && (place !== null || narrowing.to !== undefined);
  if (!isDeep || offset > 0) return read({ above, below }, { order, limit, offset });
  const found: number[] = [];
  for (const width of [limit * 4, limit * 32]) {
    const from = Math.max(above, below - width - 1);
    found.push(...read({ above: from, below }, { order: "asc", limit: width, offset: 0 }).reverse());
    if (found.length >= limit || from === above) return found.slice(0, limit);
    below = from + 1;
  }
  return [...found, ...read({ above, below }, { order, limit: limit - found.length, offset: 0 })];
}

function countUpTo(
  context: Pick<Context, "database">,
  { where, values }: Conditions,
  { table }: Search,
  limit: number,
): number {
  const row = context.database
    .prepareRead(`SELECT count(*) AS count FROM (SELECT 1 FROM ${table} AS found ${where} LIMIT ?)`)
    .get(...values, limit);
  return Number(row?.count);
}

function stretch(
  context: Pick<Context, "database">,
  { where, values }: Conditions,
  { table }: Search,
  { order, limit, offset }: Pick<Walk, "order" | "limit" | "offset">,
): number[] {
  return context.database
    .prepareRead(
      `SELECT found.rowid AS sequence FROM ${table} AS found ${where} ORDER BY found.rowid ${order} LIMIT ? OFFSET ?`,
    )
    .all(...values, limit, offset)
    .map(({ sequence }) => Number(sequence));
}

interface Conditions {
  readonly where: string;
  readonly values: readonly SqlValue[];
}

/** Sequences between which tasks lie, both left out. */
interface Between {
  readonly above: number;
  readonly below: number;
}

function inWords(
  context: Pick<Context, "database">,
  narrowing: Narrowing,
  { table, expression, status }: Search,
  { above, below }: Between = datesOf(context, narrowing),
): Conditions {
  // The search index takes only whole numbers for rowids, and a number of JavaScript comes as a fraction: hence the casts.
  const parts: [condition: string, ...values: SqlValue[]][] = [
    [`found.${table} MATCH ?`, expression],
    ["found.rowid > CAST(? AS INTEGER)", above],
    ["found.rowid < CAST(? AS INTEGER)", below],
    ...doubtful(context, narrowing),
  ];
  if (status !== null) parts.push(["(SELECT status FROM tasks WHERE sequence = found.rowid) = ?", status]);
  return {
    where: whereClause(parts.map(([condition]) => condition)),
    values: parts.flatMap(([, ...values]) => values),
  };
}

/** Dates bound the order of arrival too, as far as the clock was ever set back. */
function datesOf(context: Pick<Context, "database">, { from, to }: Narrowing): Between {
  const fall = clockFell(context);
  const newest = Number(context.database.prepareRead("SELECT max(sequence) AS newest FROM tasks").get()?.newest ?? 0);
  return {
    above: (from === undefined ? undefined : lastBefore(context, from - fall)) ?? 0,
    below: (to === undefined ? undefined : firstAfter(context, to + fall)) ?? newest + 1,
  };
}

/** Within what the clock was set back by, on either side of a date, each task is asked for its time. */
function doubtful(
  context: Pick<Context, "database">,
  { from, to }: Narrowing,
): [condition: string, ...values: SqlValue[]][] {
  const fall = clockFell(context);
  if (fall === 0) return [];
  const time = "(SELECT created_at FROM tasks WHERE sequence = found.rowid)";
  const parts: [condition: string, ...values: SqlValue[]][] = [];
  if (from !== undefined) {
    const sure = firstAfter(context, from + fall - 1) ?? Number.MAX_SAFE_INTEGER;
    parts.push([`(found.rowid >= ? OR ${time} >= ?)`, sure, from]);
  }
  if (to !== undefined) parts.push([`(found.rowid <= ? OR ${time} <= ?)`, lastBefore(context, to - fall + 1) ?? 0, to]);
  return parts;
}

function clockFell(context: Pick<Context, "database">): number {
  return Number(context.database.prepareRead("SELECT most FROM clock_falls").get()?.most ?? 0);
}

/** Sequence of the last task in time before a moment, in wall-clock milliseconds. */
function lastBefore(context: Pick<Context, "database">, time: number): number | undefined {
  const sql = "SELECT sequence FROM tasks WHERE created_at < ? ORDER BY created_at DESC, sequence DESC LIMIT 1";
  const row = context.database.prepareRead(sql).get(time);
  return row === undefined ? undefined : Number(row.sequence);
}

function firstAfter(context: Pick<Context, "database">, time: number): number | undefined {
  const sql = "SELECT sequence FROM tasks WHERE created_at > ? ORDER BY created_at, sequence LIMIT 1";
  const row = context.database.prepareRead(sql).get(time);
  return row === undefined ? undefined : Number(row.sequence);
}

/** Where the index would be walked past too much: the tasks with the words among those that the filters let through. */
function fewWithWords(context: Pick<Context, "database">, narrowing: Narrowing, search: Search): number[] | null {
  const isDated = narrowing.from !== undefined || narrowing.to !== undefined;
  if (search.status === null && !(isDated && clockFell(context) > SMALL_FALL)) return null;
  const { sql, values } = throughAreas("sequence", narrowing);
  const rows = context.database.prepareRead(`${sql} LIMIT ?`).all(...values, FEW + 1);
  if (rows.length > FEW) return null;
  const isFound = context.database.prepareRead(
    `SELECT 1 AS one FROM ${search.table} WHERE ${search.table} MATCH ? AND rowid = CAST(? AS INTEGER)`,
  );
  const end = search.table === "task_search" ? searchEnd(context) : Number.MAX_SAFE_INTEGER;
  const newest = new Set(newestWithWords(context, narrowing, search));
  return rows
    .map(({ sequence }) => Number(sequence))
    .filter((sequence) =>
      sequence > end ? newest.has(sequence) : isFound.get(search.expression, sequence) !== undefined,
    );
}

function pick({ order, place, limit, offset }: Walk, sequences: readonly number[]): number[] {
  const down = order === "desc";
  return sequences
    .filter((sequence) => place === null || (down ? sequence < place.sequence : sequence > place.sequence))
    .toSorted((one, other) => (down ? other - one : one - other))
    .slice(offset, offset + limit);
}
