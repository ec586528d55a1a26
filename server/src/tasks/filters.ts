import { findModel } from "@safelight/catalog";
import type { SqlValue } from "../database/database.ts";
import type { WantedWords } from "../database/dialect.ts";
import { narrowSearch, searchedWords } from "./search-words.ts";
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
  /** Where the tasks are, one place after the other. */
  readonly areas: readonly Area[];
  readonly conditions: readonly string[];
  readonly values: readonly SqlValue[];
  /** Wall-clock milliseconds, both included; stand apart since a cursor may be the closer bound. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** Null without words to search for. */
  readonly search: Search | null;
}

/** A part of the tasks. */
export interface Area {
  /** What to walk: it lies in the order of the list and answers every condition by itself, or is short. */
  readonly index: string;
  /** The condition of a partial index, as it stands there; "" for none. */
  readonly condition: string;
}

/** A search as search tables take it. */
export interface Search {
  readonly table: "gallery_search" | "task_search";
  /** Words and filters in one; without words it can find nothing. */
  readonly wanted: WantedWords;
  /** The status, where the index does not know it: those that wait and run are few, or will be in a while. */
  readonly status: "pending" | "processing" | null;
}

export function narrow(filters: TaskFilters): Narrowing {
  const model = filters.model === undefined ? undefined : (findModel(filters.model)?.id ?? filters.model);
  const equal = { model, type: filters.type, mode: filters.mode };
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const add = (column: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(`${column} = ?`);
    values.push(value);
  };
  for (const [column, value] of Object.entries(equal)) add(column, value);
  if (filters.favourite !== undefined) conditions.push(`favourite = ${filters.favourite ? 1 : 0}`);
  return {
    areas: areasFor({ ...filters, ...(model === undefined ? {} : { model }) }),
    conditions,
    values,
    from: filters.from,
    to: filters.to,
    search: searchFor({ ...filters, model }),
  };
}

function searchFor(filters: Omit<TaskFilters, "model"> & { model: string | undefined }): Search | null {
  const words = searchedWords(filters.q ?? "");
  if (words === null) return null;
  const { status } = filters;
  return {
    table: status === "done" ? "gallery_search" : "task_search",
    wanted: narrowSearch(words, { ...filters, failed: status === "failed" }),
    status: status === "pending" || status === "processing" ? status : null,
  };
}

const area = (index: string, condition: string): Area => ({ index, condition });
const waiting = area("tasks_pending", "status = 'pending'");
const running = area("tasks_processing", "status = 'processing'");
const ended = "status IN ('done', 'failed')";

/** By hand: without statistics SQLite cannot know which of them is narrow, and with them its choice would change over time. */
function areasFor({ status, model, type, mode, favourite }: TaskFilters): readonly Area[] {
  if (status === "done") return [area(galleryIndex({ model, type, mode, favourite }), "status = 'done'")];
  if (status === "failed") return [area("history_failed", "status = 'failed'")];
  if (status !== undefined) return [status === "pending" ? waiting : running];
  if (favourite === true) return [area("history_favourites", "")];
  const [by] = Object.entries({ model, mode, type }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  return by === undefined ? [area("tasks_by_time", "")] : [area(`ended_by_${by}`, ended), waiting, running];
}

type Named = { readonly [Name in "model" | "type" | "mode" | "favourite"]: TaskFilters[Name] | undefined };

function galleryIndex({ model, type, mode, favourite }: Named): string {
  if (favourite === true) return "gallery_favourites";
  if (model !== undefined) return mode === undefined ? "gallery_by_model" : "gallery_by_pair";
  if (mode !== undefined) return "gallery_by_mode";
  return type === undefined ? "gallery_by_time" : "gallery_by_type";
}
