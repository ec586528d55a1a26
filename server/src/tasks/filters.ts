import { findModel } from "@safelight/catalog";
import type { SqlValue } from "../database/database.ts";
import { narrowSearch, searchExpression } from "./search-words.ts";
import type { TaskRecord } from "./task-record.ts";

export interface TaskFilters {
  status?: TaskRecord["status"];
  /** Model id or alias. */
  model?: string;
  type?: TaskRecord["type"];
  mode?: string;
  /** Words that must all stand in the prompt, or begin a word of it, in any case. */
  q?: string;
  /** Wall-clock milliseconds, both ends included. */
  from?: number;
  to?: number;
  favourite?: boolean;
}

/** Filters as SQL. */
export interface Narrowing {
  /** Which index to walk; it answers every condition by itself and lies in the order of the list. */
  readonly index: string;
  readonly conditions: readonly string[];
  readonly values: readonly SqlValue[];
  /** Wall-clock milliseconds, both included; stand apart since a cursor may be the closer bound. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** Null without words to search for. */
  readonly search: Search | null;
}

/** A search as its index takes it. */
export interface Search {
  readonly table: "gallery_search" | "task_search";
  /** Words and filters in one; "" can match nothing. */
  readonly expression: string;
  /** The status, where the index does not know it: those that wait and run are few, or will be in a while. */
  readonly status: "pending" | "processing" | null;
}

export function narrow(filters: TaskFilters): Narrowing {
  const model = filters.model === undefined ? undefined : (findModel(filters.model)?.id ?? filters.model);
  const equal = { model, type: filters.type, mode: filters.mode };
  const done = filters.status === "done";
  // The status of a partial index has to stand there as it is.
  const conditions = done ? ["status = 'done'"] : [];
  const values: SqlValue[] = [];
  const add = (column: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(`${column} = ?`);
    values.push(value);
  };
  if (!done) add("status", filters.status);
  for (const [column, value] of Object.entries(equal)) add(column, value);
  if (filters.favourite !== undefined) conditions.push(`favourite = ${filters.favourite ? 1 : 0}`);
  return {
    index: indexFor({ ...filters, ...(model === undefined ? {} : { model }) }, done),
    conditions,
    values,
    from: filters.from,
    to: filters.to,
    search: searchFor({ ...filters, model }),
  };
}

function searchFor(filters: Omit<TaskFilters, "model"> & { model: string | undefined }): Search | null {
  const words = searchExpression(filters.q ?? "");
  if (words === null) return null;
  const { status } = filters;
  return {
    table: status === "done" ? "gallery_search" : "task_search",
    expression: words === "" ? "" : narrowSearch(words, { ...filters, failed: status === "failed" }),
    status: status === "pending" || status === "processing" ? status : null,
  };
}

/** By hand: without statistics SQLite cannot know which of them is narrow, and with them its choice would change over time. */
function indexFor({ status, model, type, mode, favourite }: TaskFilters, done: boolean): string {
  if (favourite === true) return done ? "gallery_favourites" : "history_favourites";
  if (!done && status !== undefined) return "history_by_status";
  const area = done ? "gallery" : "history";
  if (model !== undefined && mode !== undefined && done) return "gallery_by_pair";
  if (model !== undefined) return `${area}_by_model`;
  if (mode !== undefined) return `${area}_by_mode`;
  if (type !== undefined) return `${area}_by_type`;
  return done ? "gallery_by_time" : "tasks_by_time";
}
