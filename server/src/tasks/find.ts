/**
 * Finding tasks, newest first. Without words a list is a walk along one index in the order (created_at, sequence). With words it is a
 * walk along the search index, whose order is that of arrival; the two differ only where the clock was set back.
 */
import type { Context } from "../context/context.ts";
import type { Row, SqlValue } from "../database/database.ts";
import { type Place, readCursor, writeCursor } from "./cursor.ts";
import { type Narrowing, narrow, type TaskFilters } from "./filters.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";

export interface TaskListQuery extends TaskFilters {
  /** From 1, by default 1; ignored beside a cursor. */
  page?: number;
  /** 1 to 100, by default 20. */
  perPage?: number;
  /** `nextCursor` of the page before. */
  cursor?: string;
  /** Newest first (`desc`) by default. */
  order?: "desc" | "asc";
}

export interface FoundPage {
  readonly tasks: readonly TaskRecord[];
  readonly page: number;
  readonly perPage: number;
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
}

/** How far a total is counted. */
export const COUNTED = 10_000;
// Up to here it is cheaper to look at each task that the filters let through than to walk the words past all the others.
const FEW = 500;

interface Walk {
  readonly narrowing: Narrowing;
  readonly order: "desc" | "asc";
  readonly place: Place | null;
  readonly limit: number;
  readonly offset: number;
}

/** One page. Errors: `validation_failed` for a cursor that is none of ours. */
export function findTasks(context: Context, query: TaskListQuery): FoundPage {
  const perPage = query.perPage ?? 20;
  const page = query.cursor === undefined ? (query.page ?? 1) : 1;
  const rows = walk(context, {
    narrowing: narrow(query),
    order: query.order ?? "desc",
    place: query.cursor === undefined ? null : readCursor(query.cursor),
    limit: perPage + 1,
    offset: (page - 1) * perPage,
  });
  const tasks = rows.slice(0, perPage).map(toTaskRecord);
  const last = tasks.at(-1);
  const hasMore = rows.length > perPage;
  return { tasks, page, perPage, hasMore, nextCursor: hasMore && last !== undefined ? writeCursor(last) : null };
}

/** How many tasks the filters let through, up to 10,000. */
export function countTasks(context: Context, filters: TaskFilters): { total: number; isExact: boolean } {
  const counted = count(context, narrow(filters), COUNTED + 1);
  return { total: Math.min(counted, COUNTED), isExact: counted <= COUNTED };
}

function walk(context: Context, wanted: Walk): Row[] {
  const { search } = wanted.narrowing;
  if (search === "") return [];
  if (search === null) return walkTime(context, wanted);
  return few(context, wanted.narrowing) === null ? walkWords(context, wanted, search) : pickFew(context, wanted);
}

function walkTime(context: Context, { narrowing, order, place, limit, offset }: Walk): Row[] {
  const { conditions, values } = inTime(narrowing, order, place);
  return context.database
    .prepareRead(
      `SELECT * FROM tasks INDEXED BY ${narrowing.index} ${whereClause(conditions)}
       ORDER BY created_at ${order}, sequence ${order} LIMIT ? OFFSET ?`,
    )
    .all(...values, limit, offset);
}

/** One bound on each side: with two on one side SQLite would start at either. */
function inTime({ conditions, values, from, to }: Narrowing, order?: "desc" | "asc", place: Place | null = null) {
  const all = [...conditions];
  const bound: SqlValue[] = [...values];
  const newest = Number.MAX_SAFE_INTEGER;
  const below = order === "desc" ? place : null;
  const above = order === "asc" ? place : null;
  if (below !== null || to !== undefined) {
    const upper =
      below !== null && below.createdAt <= (to ?? newest) ? below : { createdAt: to ?? 0, sequence: newest };
    all.push("(created_at, sequence) < (?, ?)");
    bound.push(upper.createdAt, upper.sequence);
  }
  if (above !== null || from !== undefined) {
    const lower = above !== null && above.createdAt >= (from ?? 0) ? above : { createdAt: from ?? 0, sequence: -1 };
    all.push("(created_at, sequence) > (?, ?)");
    bound.push(lower.createdAt, lower.sequence);
  }
  return { conditions: all, values: bound };
}

function walkWords(context: Context, { narrowing, order, place, limit, offset }: Walk, search: string): Row[] {
  const { conditions, values } = inWords(context, narrowing);
  if (place !== null) {
    conditions.push(`found.rowid ${order === "desc" ? "<" : ">"} CAST(? AS INTEGER)`);
    values.push(place.sequence);
  }
  return context.database
    .prepareRead(
      `SELECT tasks.* FROM task_search AS found CROSS JOIN tasks ON tasks.sequence = found.rowid
       ${whereClause(["found.task_search MATCH ?", ...conditions])} ORDER BY found.rowid ${order} LIMIT ? OFFSET ?`,
    )
    .all(search, ...values, limit, offset);
}

/** Dates bound the order of arrival too, as far as the clock was ever set back. */
function inWords(context: Context, { conditions, values, from, to }: Narrowing) {
  const all = [...conditions];
  const bound: SqlValue[] = [...values];
  const prepare = context.database.prepareRead;
  const fall = Number(prepare("SELECT most FROM clock_falls").get()?.most ?? 0);
  const add = (condition: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    all.push(condition);
    bound.push(value);
  };
  add("tasks.created_at >= ?", from);
  add("tasks.created_at <= ?", to);
  if (to !== undefined) {
    const after = "SELECT sequence FROM tasks WHERE created_at > ? ORDER BY created_at, sequence LIMIT 1";
    add("found.rowid < CAST(? AS INTEGER)", prepare(after).get(to + fall)?.sequence);
  }
  if (from !== undefined) {
    const before = "SELECT sequence FROM tasks WHERE created_at < ? ORDER BY created_at DESC, sequence DESC LIMIT 1";
    add("found.rowid > CAST(? AS INTEGER)", prepare(before).get(from - fall)?.sequence);
  }
  return { conditions: all, values: bound };
}

/** The tasks that the filters let through, words aside, when they are few; otherwise null. */
function few(context: Context, narrowing: Narrowing): number[] | null {
  const isFree = narrowing.conditions.every((condition) => condition === "status = 'done'");
  if (isFree && narrowing.from === undefined && narrowing.to === undefined) return null;
  const { conditions, values } = inTime(narrowing);
  const rows = context.database
    .prepareRead(`SELECT sequence FROM tasks INDEXED BY ${narrowing.index} ${whereClause(conditions)} LIMIT ?`)
    .all(...values, FEW + 1);
  return rows.length > FEW ? null : rows.map(({ sequence }) => Number(sequence));
}

function pickFew(context: Context, { narrowing, order, place, limit, offset }: Walk): Row[] {
  const down = order === "desc";
  const sequences = matchingFew(context, narrowing)
    .filter((sequence) => place === null || (down ? sequence < place.sequence : sequence > place.sequence))
    .sort((one, other) => (down ? other - one : one - other))
    .slice(offset, offset + limit);
  const read = context.database.prepareRead("SELECT * FROM tasks WHERE sequence = ?");
  return sequences.map((sequence) => read.get(sequence)).filter((row) => row !== undefined);
}

function matchingFew(context: Context, narrowing: Narrowing): number[] {
  // The search index takes only whole numbers for rowids, and a number of JavaScript comes as a fraction: hence the casts.
  const isFound = context.database.prepareRead(
    "SELECT 1 AS one FROM task_search WHERE task_search MATCH ? AND rowid = CAST(? AS INTEGER)",
  );
  return (few(context, narrowing) ?? []).filter((sequence) => isFound.get(narrowing.search, sequence) !== undefined);
}

function count(context: Context, narrowing: Narrowing, limit: number): number {
  const { search } = narrowing;
  if (search === "") return 0;
  if (search !== null && few(context, narrowing) !== null) return matchingFew(context, narrowing).length;
  const { conditions, values } = search === null ? inTime(narrowing) : inWords(context, narrowing);
  const source =
    search === null
      ? `tasks INDEXED BY ${narrowing.index} ${whereClause(conditions)}`
      : conditions.length === 0
        ? "task_search AS found WHERE found.task_search MATCH ?"
        : `task_search AS found CROSS JOIN tasks ON tasks.sequence = found.rowid
           ${whereClause(["found.task_search MATCH ?", ...conditions])}`;
  const row = context.database
    .prepareRead(`SELECT count(*) AS count FROM (SELECT 1 FROM ${source} LIMIT ?)`)
    .get(...(search === null ? [] : [search]), ...values, limit);
  return Number(row?.count);
}

function whereClause(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
}
