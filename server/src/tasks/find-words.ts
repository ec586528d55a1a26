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
export async function walkWords(prepare: Prepare, wanted: Walk, search: Search): Promise<Row[]> {
  if (search.wanted.words.length === 0) return [];
  const few = await fewWithWords(prepare, wanted.narrowing, search);
  const sequences = few === null ? await withNewest(prepare, wanted, search) : pick(wanted, few);
  return readRows(prepare, sequences);
}

/** The tasks of these sequences, in this order, those that are there. */
export async function readRows(prepare: Prepare, sequences: readonly number[]): Promise<Row[]> {
  const read = prepare("SELECT * FROM tasks WHERE sequence = ?");
  const rows: Row[] = [];
  for (const sequence of sequences) {
    const row = await read.get(sequence);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

/** How many tasks have the words, up to `limit`. */
export async function countWords(
  prepare: Prepare,
  narrowing: Narrowing,
  search: Search,
  limit: number,
): Promise<number> {
  if (search.wanted.words.length === 0) return 0;
  const few = await fewWithWords(prepare, narrowing, search);
  if (few !== null) return few.length;
  const newest = (await newestWithWords(prepare, narrowing, search)).length;
  return Math.min(limit, newest + (await countUpTo(prepare, await inWords(prepare, narrowing, search), search, limit)));
}

/** The newest, which stand outside the index of words, come after all that stand in it. */
async function withNewest(prepare: Prepare, wanted: Walk, search: Search): Promise<number[]> {
  const { narrowing, order, limit, offset } = wanted;
  const newest = pick(
    { ...wanted, limit: Number.MAX_SAFE_INTEGER, offset: 0 },
    await newestWithWords(prepare, narrowing, search),
  );
  if (newest.length === 0) return sequencesOf(prepare, wanted, search);
  if (order === "desc") {
    const first = newest.slice(offset, offset + limit);
    const left = { offset: Math.max(0, offset - newest.length), limit: limit - first.length };
    return left.limit === 0 ? first : [...first, ...(await sequencesOf(prepare, { ...wanted, ...left }, search))];
  }
  const first = await sequencesOf(prepare, wanted, search);
  if (first.length === limit) return first;
  // A page that begins behind the whole index passes over some of the newest; only pages by number, without a place, begin so far.
  const passed =
    first.length > 0 ? offset : await countUpTo(prepare, await inWords(prepare, narrowing, search), search, offset);
  return [...first, ...newest.slice(offset - passed, offset - passed + limit - first.length)];
}

/**
 * Below a place the newest are looked for in two stretches, each read upwards: downwards the index comes from its end to the place,
 * which costs the more the deeper the place lies. What is too sparse for that is walked down.
 */
async function sequencesOf(prepare: Prepare, wanted: Walk, search: Search): Promise<number[]> {
  const { narrowing, order, place, limit, offset } = wanted;
  let { above, below } = await datesOf(prepare, narrowing);
  if (place !== null && order === "asc") above = Math.max(above, place.sequence);
  if (place !== null && order === "desc") below = Math.min(below, place.sequence);
  const read = async (bounds: Between, part: Pick<Walk, "order" | "limit" | "offset">) =>
    stretch(prepare, await inWords(prepare, narrowing, search, bounds), search, part);
  const bounded = await inWords(prepare, narrowing, search, { above, below });
  // Downwards the index is slow to leap: what is found but now and then is read upwards, all of it.
  if (order === "desc" && (await countUpTo(prepare, bounded, search, SPARSE + 1)) <= SPARSE) {
    const upwards = await read({ above, below }, { order: "asc", limit: SPARSE, offset: 0 });
    return upwards.reverse().slice(offset, offset + limit);
  }
  const isDeep = order === "desc" && (place !== null || narrowing.to !== undefined);
  if (!isDeep || offset > 0) return read({ above, below }, { order, limit, offset });
  const found: number[] = [];
  for (const width of [limit * 4, limit * 32]) {
    const from = Math.max(above, below - width - 1);
    found.push(...(await read({ above: from, below }, { order: "asc", limit: width, offset: 0 })).reverse());
    if (found.length >= limit || from === above) return found.slice(0, limit);
    below = from + 1;
  }
  return [...found, ...(await read({ above, below }, { order, limit: limit - found.length, offset: 0 }))];
}

async function countUpTo(
  prepare: Prepare,
  { where, values }: Conditions,
  { table }: Search,
  limit: number,
): Promise<number> {
  const row = await prepare(
    `SELECT count(*) AS count FROM (SELECT 1 FROM ${table} AS found ${where} LIMIT ?) AS counted`,
  ).get(...values, limit);
  return Number(row?.count);
}

async function stretch(
  prepare: Prepare,
  { where, values }: Conditions,
  { table }: Search,
  { order, limit, offset }: Pick<Walk, "order" | "limit" | "offset">,
): Promise<number[]> {
  return (
    await prepare(
      `SELECT ${foundAt(prepare)} AS sequence FROM ${table} AS found ${where} ORDER BY ${foundAt(prepare)} ${order} LIMIT ? OFFSET ?`,
    ).all(...values, limit, offset)
  ).map(({ sequence }) => Number(sequence));
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

async function inWords(
  prepare: Prepare,
  narrowing: Narrowing,
  { table, wanted, status }: Search,
  between?: Between,
): Promise<Conditions> {
  const { above, below } = between ?? (await datesOf(prepare, narrowing));
  // The search index takes only whole numbers for rowids, and a number of JavaScript comes as a fraction: hence the casts.
  const parts: [condition: string, ...values: SqlValue[]][] = [
    [prepare.dialect.search.matches(table), prepare.dialect.search.expression(wanted)],
    [`${foundAt(prepare)} > CAST(? AS BIGINT)`, above],
    [`${foundAt(prepare)} < CAST(? AS BIGINT)`, below],
    ...(await doubtful(prepare, narrowing)),
  ];
  if (status !== null) parts.push([`(SELECT status FROM tasks WHERE sequence = ${foundAt(prepare)}) = ?`, status]);
  return {
    where: whereClause(parts.map(([condition]) => condition)),
    values: parts.flatMap(([, ...values]) => values),
  };
}

/** Dates bound the order of arrival too, as far as the clock was ever set back. */
async function datesOf(prepare: Prepare, { from, to }: Narrowing): Promise<Between> {
  const fall = await clockFell(prepare);
  const newest = Number((await prepare("SELECT max(sequence) AS newest FROM tasks").get())?.newest ?? 0);
  return {
    above: (from === undefined ? undefined : await lastBefore(prepare, from - fall)) ?? 0,
    below: (to === undefined ? undefined : await firstAfter(prepare, to + fall)) ?? newest + 1,
  };
}

/** Within what the clock was set back by, on either side of a date, each task is asked for its time. */
async function doubtful(
  prepare: Prepare,
  { from, to }: Narrowing,
): Promise<[condition: string, ...values: SqlValue[]][]> {
  const fall = await clockFell(prepare);
  if (fall === 0) return [];
  const time = `(SELECT created_at FROM tasks WHERE sequence = ${foundAt(prepare)})`;
  const parts: [condition: string, ...values: SqlValue[]][] = [];
  if (from !== undefined) {
    const sure = (await firstAfter(prepare, from + fall - 1)) ?? Number.MAX_SAFE_INTEGER;
    parts.push([`(${foundAt(prepare)} >= ? OR ${time} >= ?)`, sure, from]);
  }
  if (to !== undefined)
    parts.push([`(${foundAt(prepare)} <= ? OR ${time} <= ?)`, (await lastBefore(prepare, to - fall + 1)) ?? 0, to]);
  return parts;
}

async function clockFell(prepare: Prepare): Promise<number> {
  return Number((await prepare("SELECT most FROM clock_falls").get())?.most ?? 0);
}

/** Sequence of the last task in time before a moment, in wall-clock milliseconds. */
async function lastBefore(prepare: Prepare, time: number): Promise<number | undefined> {
  const sql = "SELECT sequence FROM tasks WHERE created_at < ? ORDER BY created_at DESC, sequence DESC LIMIT 1";
  const row = await prepare(sql).get(time);
  return row === undefined ? undefined : Number(row.sequence);
}

async function firstAfter(prepare: Prepare, time: number): Promise<number | undefined> {
  const sql = "SELECT sequence FROM tasks WHERE created_at > ? ORDER BY created_at, sequence LIMIT 1";
  const row = await prepare(sql).get(time);
  return row === undefined ? undefined : Number(row.sequence);
}

/** Where the index would be walked past too much: the tasks with the words among those that the filters let through. */
async function fewWithWords(prepare: Prepare, narrowing: Narrowing, search: Search): Promise<number[] | null> {
  const isDated = narrowing.from !== undefined || narrowing.to !== undefined;
  if (search.status === null && !(isDated && (await clockFell(prepare)) > SMALL_FALL)) return null;
  const { sql, values } = throughAreas(prepare, "sequence", narrowing);
  const rows = await prepare(`${sql} LIMIT ?`).all(...values, FEW + 1);
  if (rows.length > FEW) return null;
  const isFound = prepare(
    `SELECT 1 AS one FROM ${search.table} AS found WHERE ${prepare.dialect.search.matches(search.table)} AND ${foundAt(prepare)} = CAST(? AS BIGINT)`,
  );
  const end = search.table === "task_search" ? await searchEnd(prepare) : Number.MAX_SAFE_INTEGER;
  const newest = new Set(await newestWithWords(prepare, narrowing, search));
  const expression = prepare.dialect.search.expression(search.wanted);
  const few: number[] = [];
  for (const row of rows) {
    const sequence = Number(row.sequence);
    const has = sequence > end ? newest.has(sequence) : (await isFound.get(expression, sequence)) !== undefined;
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
