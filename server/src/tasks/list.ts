import { findModel } from "@safelight/catalog";
import type { TaskItem, TasksPage } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { SqlValue } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { describedFields } from "./describe.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";

export interface TaskFilters {
  status?: TaskRecord["status"];
  /** Model id or alias. */
  model?: string;
  type?: TaskRecord["type"];
  mode?: string;
  /** Words that must all stand in the prompt, in any case. */
  q?: string;
  /** Wall-clock milliseconds, both ends included. */
  from?: number;
  to?: number;
}

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

/** How far a total is counted. */
const COUNTED = 10_000;

/** The history, in every state. Errors: `validation_failed` for a cursor that is none of ours. */
export async function listTasks(context: Context, query: TaskListQuery): Promise<TasksPage> {
  const order = query.order ?? "desc";
  const perPage = query.perPage ?? 20;
  const page = query.cursor === undefined ? (query.page ?? 1) : 1;
  const filter = filterOf(query);
  const place = query.cursor === undefined ? null : readCursor(query.cursor);
  const after = place === null ? null : `(created_at, sequence) ${order === "desc" ? "<" : ">"} (?, ?)`;
  const where = whereClause(after === null ? filter.conditions : [...filter.conditions, after]);
  const rows = context.database
    .prepareRead(`SELECT * FROM tasks ${where} ORDER BY created_at ${order}, sequence ${order} LIMIT ? OFFSET ?`)
    .all(...filter.values, ...(place ?? []), perPage + 1, (page - 1) * perPage);
  const tasks = rows.slice(0, perPage).map(toTaskRecord);
  const last = tasks.at(-1);
  const hasMore = rows.length > perPage;
  const counted = Number(
    context.database
      .prepareRead(`SELECT count(*) AS count FROM (SELECT 1 FROM tasks ${whereClause(filter.conditions)} LIMIT ?)`)
      .get(...filter.values, COUNTED + 1)?.count,
  );
  return {
    items: await Promise.all(tasks.map((task) => describeItem(context, task))),
    total: Math.min(counted, COUNTED),
    total_is_exact: counted <= COUNTED,
    page,
    per_page: perPage,
    has_more: hasMore,
    next_cursor: hasMore && last !== undefined ? writeCursor(last) : null,
  };
}

/** A task of the history. A result whose file has gone is told as such; its record stays. */
async function describeItem(context: Context, task: TaskRecord): Promise<TaskItem> {
  const missing = task.resultPath !== null && (await context.media.stat(task.resultPath)) === null;
  return {
    id: task.id,
    workspace: task.workspace,
    prompt: task.prompt,
    negative_prompt: task.negativePrompt,
    parameters: { ...task.parameters },
    width: task.width ?? 0,
    height: task.height ?? 0,
    catalog_version: task.catalogVersion,
    result_missing: missing,
    favourite: false,
    thumbnail_url: null,
    result_type: task.resultType,
    result_bytes: task.resultBytes,
    frames: task.resultPath === null ? null : task.frames,
    fps: task.resultPath === null ? null : task.fps,
    ...describedFields(context.config, task),
  };
}

function filterOf(filters: TaskFilters): { conditions: string[]; values: SqlValue[] } {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const add = (condition: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  add("status = ?", filters.status);
  add("model = ?", filters.model === undefined ? undefined : (findModel(filters.model)?.id ?? filters.model));
  add("type = ?", filters.type);
  add("mode = ?", filters.mode);
  add("created_at >= ?", filters.from);
  add("created_at <= ?", filters.to);
  // fold() is ours: SQLite's own lower() knows ASCII only.
  for (const word of (filters.q ?? "").toLowerCase().split(/\s+/u)) {
    if (word !== "") add("instr(fold(prompt), ?) > 0", word);
  }
  return { conditions, values };
}

function whereClause(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
}

function writeCursor(task: TaskRecord): string {
  return Buffer.from(`${task.createdAt}.${task.sequence}`).toString("base64url");
}

function readCursor(cursor: string): [number, number] {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  // Decoding passes over what is no base64url; encoding again shows whether there was any.
  const match = Buffer.from(text).toString("base64url") === cursor ? /^(\d{1,16})\.(\d{1,16})$/.exec(text) : null;
  const place: [number, number] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || !place.every(Number.isSafeInteger)) {
    const message = "The cursor is not one that a page of this list has given.";
    throw new SafelightError("validation_failed", message, { fields: [{ field: "cursor", code: "pattern", message }] });
  }
  return place;
}
