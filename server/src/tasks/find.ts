/**
 * Finding tasks, newest first. Without words a list is a walk along one index in the order (created_at, sequence). With words it is a
 * walk along a search index, whose order is that of arrival; the two differ only where the clock was set back.
 */
import type { Context } from "../context/context.ts";
import type { Row } from "../database/database.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { type Narrowing, narrow, type TaskFilters } from "./filters.ts";
import { countWords, walkWords } from "./find-words.ts";
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
export function findTasks(context: Pick<Context, "database">, query: TaskListQuery): FoundPage {
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
export function countTasks(
  context: Pick<Context, "database">,
  filters: TaskFilters,
): { total: number; isExact: boolean } {
  const counted = count(context, narrow(filters), COUNTED + 1);
  return { total: Math.min(counted, COUNTED), isExact: counted <= COUNTED };
}

function walk(context: Pick<Context, "database">, wanted: Walk): Row[] {
  const { search } = wanted.narrowing;
  return search === null ? walkTime(context, wanted) : walkWords(context, wanted, search);
}

function walkTime(context: Pick<Context, "database">, { narrowing, order, place, limit, offset }: Walk): Row[] {
  const { prepareRead } = context.database;
  const isOne = narrowing.areas.length === 1;
  const { sql, values } = throughAreas(isOne ? "*" : "sequence, created_at", narrowing, order, place);
  const rows = prepareRead(`${sql} ORDER BY created_at ${order}, sequence ${order} LIMIT ? OFFSET ?`).all(
    ...values,
    limit,
    offset,
  );
  if (isOne) return rows;
  const read = prepareRead("SELECT * FROM tasks WHERE sequence = ?");
  return rows.map(({ sequence }) => read.get(Number(sequence))).filter((row) => row !== undefined);
}

function count(context: Pick<Context, "database">, narrowing: Narrowing, limit: number): number {
  if (narrowing.search !== null) return countWords(context, narrowing, narrowing.search, limit);
  const { sql, values } = throughAreas("1", narrowing);
  const row = context.database.prepareRead(`SELECT count(*) AS count FROM (${sql} LIMIT ?)`).get(...values, limit);
  return Number(row?.count);
}
