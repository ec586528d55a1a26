/**
 * Searching. The index of words answers filters too, so a page touches only the tasks on it and a count touches none. What the index
 * does not know is looked up task by task: who waits or runs, and dates where the clock was set back.
 */
import type { Prepare, Row, SqlValue } from "../database/database.ts";
import type { Narrowing, Search } from "./filters.ts";
import { newestWithWords, searchEnd } from "./newest-words.ts";
import { throughAreas, type Walk, whereClause } from "./walk.ts";

// Up to here it is cheaper to look at each task that the filters let through than to walk the words past all the others.
const FEW = 500;
const SPARSE = 100;
// Milliseconds. A clock that was set back further makes dates a poor bound of the order of arrival.
const SMALL_FALL = 60_000;

/** The sequence of a task in the search table that stands in FROM as `found`. */
const foundAt = ({ dialect }: Prepare): string => `found.${dialect.search.sequence}`;

/** Tasks with the words, in order of arrival. */
export function walkWords(prepare: Prepare, wanted: Walk, search: Search): Row[] {
  if (search.wanted.words.length === 0) return [];
  const few = fewWithWords(prepare, wanted.narrowing, search);
  const sequences = few === null ? withNewest(prepare, wanted, search) : pick(wanted, few);
  return readRows(prepare, sequences);
}

/** The tasks of these sequences, in this order, those that are there. */
export function readRows(prepare: Prepare, sequences: readonly number[]): Row[] {
  const read = prepare("SELECT * FROM tasks WHERE sequence = ?");
  const rows: Row[] = [];
  for (const sequence of sequences) {
    const row = read.get(sequence);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

/** How many tasks have the words, up to `limit`. */
export function countWords(
  prepare: Prepare,
  narrowing: Narrowing,
  search: Search,
  limit: number,
): number {
  if (search.wanted.words.length === 0) return 0;
  const few = fewWithWords(prepare, narrowing, search);
  if (few !== null) return few.length;
  const newest = newestWithWords(prepare, narrowing, search).length;
  return Math.min(limit, newest + countUpTo(prepare, inWords(prepare, narrowing, search), search, limit));
}

/** The newest, which stand outside the index of words, come after all that stand in it. */
function withNewest(prepare: Prepare, wanted: Walk, search: Search): number[] {
  const { narrowing, order, limit, offset } = wanted;
  const newest = pick(
    { ...wanted, limit: Number.MAX_SAFE_INTEGER, offset: 0 },
    newestWithWords(prepare, narrowing, search),
  );
  if (newest.length === 0) return sequencesOf(prepare, wanted, search);
  if (order === "desc") {
    const first = newest.slice(offset, offset + limit);
    const left = { offset: Math.max(0, offset - newest.length), limit: limit - first.length };
    return left.limit === 0 ? first : [...first, ...sequencesOf(prepare, { ...wanted, ...left }, search)];
  }
  const first = sequencesOf(prepare, wanted, search);
  if (first.length === limit) return first;
  // A page that begins behind the whole index passes over some of the newest; only pages by number, without a place, begin so far.
  const passed = first.length > 0 ? offset : countUpTo(prepare, inWords(prepare, narrowing, search), search, offset);
  return [...first, ...newest.slice(offset - passed, offset - passed + limit - first.length)];
}

/**
 * Below a place the newest are looked for in two stretches, each read upwards: downwards the index comes from its end to the place,
 * which costs the more the deeper the place lies. What is too sparse for that is walked down.
 */
function sequencesOf(prepare: Prepare, wanted: Walk, search: Search): number[] {
  const { narrowing, order, place, limit, offset } = wanted;
  let { above, below } = datesOf(prepare, narrowing);
  if (place !== null && order === "asc") above = Math.max(above, place.sequence);
  if (place !== null && order === "desc") below = Math.min(below, place.sequence);
  const read = (bounds: Between, part: Pick<Walk, "order" | "limit" | "offset">) =>
    stretch(prepare, inWords(prepare, narrowing, search, bounds), search, part);
  const bounded = inWords(prepare, narrowing, search, { above, below });
  // Downwards the index is slow to leap: what is found but now and then is read upwards, all of it.
  if (order === "desc" && countUpTo(prepare, bounded, search, SPARSE + 1) <= SPARSE) {
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
  prepare: Prepare,
  { where, values }: Conditions,
  { table }: Search,
  limit: number,
): number {
  const row = prepare(`SELECT count(*) AS count FROM (SELECT 1 FROM ${table} AS found ${where} LIMIT ?) AS counted`)
    .get(...values, limit);
  return Number(row?.count);
}

function stretch(
  prepare: Prepare,
  { where, values }: Conditions,
  { table }: Search,
  { order, limit, offset }: Pick<Walk, "order" | "limit" | "offset">,
): number[] {
  return prepare(
      `SELECT ${foundAt(prepare)} AS sequence FROM ${table} AS found ${where} ORDER BY ${foundAt(prepare)} ${order} LIMIT ? OFFSET ?`,
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
  prepare: Prepare,
  narrowing: Narrowing,
  { table, wanted, status }: Search,
  between?: Between,
): Conditions {
  const { above, below } = between ?? datesOf(prepare, narrowing);
  // The search index takes only whole numbers for rowids, and a number of JavaScript comes as a fraction: hence the casts.
  const parts: [condition: string, ...values: SqlValue[]][] = [
    [prepare.dialect.search.matches(table), prepare.dialect.search.expression(wanted)],
    [`${foundAt(prepare)} > CAST(? AS BIGINT)`, above],
    [`${foundAt(prepare)} < CAST(? AS BIGINT)`, below],
    ...doubtful(prepare, narrowing),
  ];
  if (status !== null) parts.push([`(SELECT status FROM tasks WHERE sequence = ${foundAt(prepare)}) = ?`, status]);
  return {
    where: whereClause(parts.map(([condition]) => condition)),
    values: parts.flatMap(([, ...values]) => values),
  };
}

/** Dates bound the order of arrival too, as far as the clock was ever set back. */
function datesOf(prepare: Prepare, { from, to }: Narrowing): Between {
  const fall = clockFell(prepare);
  const newest = Number(prepare("SELECT max(sequence) AS newest FROM tasks").get()?.newest ?? 0);
  return {
    above: (from === undefined ? undefined : lastBefore(prepare, from - fall)) ?? 0,
    below: (to === undefined ? undefined : firstAfter(prepare, to + fall)) ?? newest + 1,
  };
}

/** Within what the clock was set back by, on either side of a date, each task is asked for its time. */
function doubtful(
  prepare: Prepare,
  { from, to }: Narrowing,
): [condition: string, ...values: SqlValue[]][] {
  const fall = clockFell(prepare);
  if (fall === 0) return [];
  const time = `(SELECT created_at FROM tasks WHERE sequence = ${foundAt(prepare)})`;
  const parts: [condition: string, ...values: SqlValue[]][] = [];
  if (from !== undefined) {
    const sure = firstAfter(prepare, from + fall - 1) ?? Number.MAX_SAFE_INTEGER;
    parts.push([`(${foundAt(prepare)} >= ? OR ${time} >= ?)`, sure, from]);
  }
  if (to !== undefined) parts.push([`(${foundAt(prepare)} <= ? OR ${time} <= ?)`, lastBefore(prepare, to - fall + 1) ?? 0, to]);
  return parts;
}

function clockFell(prepare: Prepare): number {
  return Number(prepare("SELECT most FROM clock_falls").get()?.most ?? 0);
}

/** Sequence of the last task in time before a moment, in wall-clock milliseconds. */
function lastBefore(prepare: Prepare, time: number): number | undefined {
  const sql = "SELECT sequence FROM tasks WHERE created_at < ? ORDER BY created_at DESC, sequence DESC LIMIT 1";
  const row = prepare(sql).get(time);
  return row === undefined ? undefined : Number(row.sequence);
}

function firstAfter(prepare: Prepare, time: number): number | undefined {
  const sql = "SELECT sequence FROM tasks WHERE created_at > ? ORDER BY created_at, sequence LIMIT 1";
  const row = prepare(sql).get(time);
  return row === undefined ? undefined : Number(row.sequence);
}

/** Where the index would be walked past too much: the tasks with the words among those that the filters let through. */
function fewWithWords(prepare: Prepare, narrowing: Narrowing, search: Search): number[] | null {
  const isDated = narrowing.from !== undefined || narrowing.to !== undefined;
  if (search.status === null && !(isDated && clockFell(prepare) > SMALL_FALL)) return null;
  const { sql, values } = throughAreas(prepare, "sequence", narrowing);
  const rows = prepare(`${sql} LIMIT ?`).all(...values, FEW + 1);
  if (rows.length > FEW) return null;
  const isFound = prepare(
    `SELECT 1 AS one FROM ${search.table} AS found WHERE ${prepare.dialect.search.matches(search.table)} AND ${foundAt(prepare)} = CAST(? AS BIGINT)`,
  );
  const end = search.table === "task_search" ? searchEnd(prepare) : Number.MAX_SAFE_INTEGER;
  const newest = new Set(newestWithWords(prepare, narrowing, search));
  const expression = prepare.dialect.search.expression(search.wanted);
  const few: number[] = [];
  for (const row of rows) {
    const sequence = Number(row.sequence);
    const has = sequence > end ? newest.has(sequence) : isFound.get(expression, sequence) !== undefined;
    if (has) few.push(sequence);
  }
  return few;
}

function pick({ order, place, limit, offset }: Walk, sequences: readonly number[]): number[] {
  const down = order === "desc";
  return sequences
    .filter((sequence) => place === null || (down ? sequence < place.sequence : sequence > place.sequence))
    .toSorted((one, other) => (down ? other - one : one - other))
    .slice(offset, offset + limit);
}
