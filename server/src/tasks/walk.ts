import type { Prepare, SqlValue } from "../database/database.ts";
import type { Place } from "./cursor.ts";
import type { Narrowing } from "./filters.ts";

/** A page to be read, by whichever index. */
export interface Walk {
  readonly narrowing: Narrowing;
  readonly order: "desc" | "asc";
  readonly place: Place | null;
  readonly limit: number;
  readonly offset: number;
}

/** Filters, dates and place as conditions. One bound on each side: with two on one side SQLite would start at either. */
export function inTime(
  { conditions, values, from, to }: Narrowing,
  order?: "desc" | "asc",
  place: Place | null = null,
): { conditions: string[]; values: SqlValue[] } {
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

/** The tasks of all areas that the filters let through, as a table with the named columns. */
export function throughAreas(
  { dialect }: Prepare,
  columns: string,
  narrowing: Narrowing,
  order?: "desc" | "asc",
  place: Place | null = null,
): { sql: string; values: SqlValue[] } {
  const { conditions, values } = inTime(narrowing, order, place);
  const parts = narrowing.areas.map(({ index, condition }) => {
    const all = condition === "" ? conditions : [condition, ...conditions];
    return `SELECT ${columns} FROM tasks${dialect.through(index)} ${whereClause(all)}`;
  });
  return { sql: parts.join(" UNION ALL "), values: parts.flatMap(() => values) };
}

export function whereClause(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
}
