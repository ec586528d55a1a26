import type { SelectionFilters, TasksQuery } from "@safelight/contract";
import { SafelightError } from "../errors.ts";
import type { TaskFilters } from "../tasks/filters.ts";
import type { TaskListQuery } from "../tasks/find.ts";

/** The query of a list as the verbs take it. Errors: `validation_failed` for what is no time. */
export function readListQuery(query: TasksQuery): TaskListQuery {
  return {
    ...readFilters(query),
    ...(query.page === undefined ? {} : { page: query.page }),
    ...(query.per_page === undefined ? {} : { perPage: query.per_page }),
    ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
    ...(query.order === undefined ? {} : { order: query.order }),
  };
}

/** The filters alone; `place` stands before the names of fields, such as "filters.". */
export function readFilters(query: TasksQuery | SelectionFilters, place = ""): TaskFilters {
  return {
    ...(query.status === undefined ? {} : { status: query.status }),
    ...(query.model === undefined ? {} : { model: query.model }),
    ...(query.type === undefined ? {} : { type: query.type }),
    ...(query.mode === undefined ? {} : { mode: query.mode }),
    ...(query.q === undefined ? {} : { q: query.q }),
    ...(query.from === undefined ? {} : { from: readTime(`${place}from`, query.from) }),
    ...(query.to === undefined ? {} : { to: readTime(`${place}to`, query.to) }),
    ...(query.favourite === undefined ? {} : { favourite: query.favourite }),
  };
}

/** A time of a query as wall-clock milliseconds. Errors: `validation_failed`, naming the field. */
export function readTime(field: string, text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}(?:[T ]|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  const message = `${field} must be a date or a time in ISO 8601, such as 2026-03-01T12:00:00Z.`;
  throw new SafelightError("validation_failed", message, { fields: [{ field, code: "pattern", message }] });
}
