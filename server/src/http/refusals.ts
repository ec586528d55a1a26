import { recordAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";

const minute = 60_000;
const mostKeys = 10_000;

interface Tally {
  readonly since: number;
  more: number;
}

/**
 * Refusals worth an audit row: one row per source, route and minute. The first of a minute is written at once; further ones are
 * counted and named by the next row, so that a flood can neither fill the log nor stay out of it.
 */
const tallies = new WeakMap<Context["database"], Map<string, Tally>>();

/** Writes the refusal down and throws it; where no row can be written, throws `auth_unavailable` instead (FR-012). */
export async function refuseWithRecord(
  context: Context,
  refusal: { readonly action: "cors_origin_blocked" | "proxy_target_invalid"; readonly route: string },
  error: SafelightError,
): Promise<never> {
  const counted = tallies.get(context.database) ?? new Map<string, Tally>();
  tallies.set(context.database, counted);
  const key = `${refusal.action} ${context.source} ${refusal.route}`;
  const now = context.clock.now();
  const tally = counted.get(key);
  if (tally !== undefined && now >= tally.since && now - tally.since < minute) {
    tally.more += 1;
    throw error;
  }
  if (counted.size >= mostKeys) counted.clear();
  counted.set(key, { since: now, more: 0 });
  const details = { route: refusal.route, code: error.code, earlier: tally?.more ?? 0 };
  context.log.warn("a request was refused", { action: refusal.action, ...details });
  try {
    await recordAudit(context, { action: refusal.action, target: null, outcome: "failure", details });
  } catch (cause) {
    counted.delete(key);
    throw new SafelightError("auth_unavailable", "The refusal cannot be recorded at the moment.", { cause });
  }
  throw error;
}
