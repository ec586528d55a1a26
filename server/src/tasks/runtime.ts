import type { Context } from "../context/context.ts";
import type { TaskRecord } from "./task-record.ts";
import { type TimeLimits, timeLimits } from "./time-limits.ts";

/**
 * Milliseconds that the task has spent under leases: the sum so far, and the present lease since its last renewal. Where gateways agree
 * on the time that is said of every lease. Otherwise one of an earlier start of the server counts up to its last renewal only; nobody
 * knows how long it ran on.
 */
export function leasedTime(context: Context, task: TaskRecord, limits: TimeLimits = timeLimits): number {
  const isKnown = task.leaseOwner === context.instance || (context.database.shared && task.leaseOwner !== null);
  if (!isKnown || task.leaseRenewedAt === null) return task.leasedMs;
  const since = Math.max(0, context.clock.steady() - task.leaseRenewedAt);
  // A machine that slept through its lease did not work in that time.
  return task.leasedMs + Math.min(since, limits.lease);
}

/** True when a running task has used up the time its type is given (FR-013). */
export function isStale(context: Context, task: TaskRecord, limits: TimeLimits = timeLimits): boolean {
  return task.status === "processing" && leasedTime(context, task, limits) > limits.stale[task.type];
}
