/**
 * Finding tasks, newest first. Without words a list is a walk along one index in the order (created_at, sequence). With words it is a
 * walk along a search index, whose order is that of arrival; the two differ only where the clock was set back.
 */
import type { Context } from "../context/context.ts";
import type { Prepare, Row } from "../database/database.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { type Narrowing, narrow, type TaskFilters } from "./filters.ts";
import { countWords, readRows, walkWords } from "./find-words.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";
import { throughAreas, type Walk } from "./walk.ts";

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

/** One page. Errors: `validation_failed` for a cursor that is none of ours. */
export async function findTasks({ database }: Pick<Context, "database">, query: TaskListQuery): Promise<FoundPage> {
  return database.read(({ prepare }) => readPage(prepare, query));
}

/** A page and how many there are of it, both of one state. */
export async function findAndCount(
  { database }: Pick<Context, "database">,
  query: TaskListQuery,
): Promise<{ found: FoundPage; total: number; isExact: boolean }> {
  return database.read(async ({ prepare }) => {
    const found = await readPage(prepare, query);
    return { found, ...(await readCount(prepare, query)) };
  });
}

async function readPage(prepare: Prepare, query: TaskListQuery): Promise<FoundPage> {
  const perPage = query.perPage ?? 20;
  const page = query.cursor === undefined ? (query.page ?? 1) : 1;
  const rows = await walk(prepare, {
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
export async function countTasks(
  { database }: Pick<Context, "database">,
  filters: TaskFilters,
): Promise<{ total: number; isExact: boolean }> {
  return database.read(({ prepare }) => readCount(prepare, filters));
}

async function readCount(prepare: Prepare, filters: TaskFilters): Promise<{ total: number; isExact: boolean }> {
  const counted = await count(prepare, narrow(filters), COUNTED + 1);
  return { total: Math.min(counted, COUNTED), isExact: counted <= COUNTED };
}

async function walk(prepare: Prepare, wanted: Walk): Promise<Row[]> {
  const { search } = wanted.narrowing;
  return search === null ? await walkTime(prepare, wanted) : await walkWords(prepare, wanted, search);
}

async function walkTime(prepare: Prepare, { narrowing, order, place, limit, offset }: Walk): Promise<Row[]> {
  const isOne = narrowing.areas.length === 1;
  const { sql, values } = throughAreas(prepare, isOne ? "*" : "sequence, created_at", narrowing, order, place);
  const rows = await prepare(`${sql} ORDER BY created_at ${order}, sequence ${order} LIMIT ? OFFSET ?`).all(
    ...values,
    limit,
    offset,
  );
  if (isOne) return rows;
  return readRows(
    prepare,
    rows.map(({ sequence }) => Number(sequence)),
  );
}

async function count(prepare: Prepare, narrowing: Narrowing, limit: number): Promise<number> {
  if (narrowing.search !== null) return countWords(prepare, narrowing, narrowing.search, limit);
  const { sql, values } = throughAreas(prepare, "1", narrowing);
  const row = await prepare(`SELECT count(*) AS count FROM (${sql} LIMIT ?) AS found`).get(...values, limit);
  return Number(row?.count);
}
