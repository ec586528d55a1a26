import type { DeploymentsPage } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { SqlValue } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { describeDeployment, toDeploymentRecord } from "./deployment-record.ts";

export interface DeploymentFilters {
  readonly workspace?: string;
  /** 1 to 100, by default 20. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** Deployments, newest first. Errors: `validation_failed` for a cursor that is none of ours. */
export async function listDeployments(context: Context, filters: DeploymentFilters): Promise<DeploymentsPage> {
  const { workspace, limit = 20, cursor } = filters;
  const conditions = ["number < ?"];
  const values: SqlValue[] = [cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor)];
  if (workspace !== undefined) {
    conditions.push("workspace = ?");
    values.push(workspace);
  }
  const rows = (
    await context.database
      .prepareRead(`SELECT * FROM deployments WHERE ${conditions.join(" AND ")} ORDER BY number DESC LIMIT ?`)
      .all(...values, limit + 1)
  ).map(toDeploymentRecord);
  const page = rows.slice(0, limit);
  const hasMore = rows.length > limit;
  const last = page.at(-1);
  return {
    deployments: page.map(describeDeployment),
    has_more: hasMore,
    next_cursor: hasMore && last !== undefined ? writeCursor(last.number) : null,
  };
}

function writeCursor(number: number): string {
  return Buffer.from(String(number)).toString("base64url");
}

function readCursor(cursor: string): number {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number) && writeCursor(number) === cursor) return number;
  const message = "The cursor is not one that a page of this list has given.";
  throw new SafelightError("validation_failed", message, { fields: [{ field: "cursor", code: "pattern", message }] });
}
