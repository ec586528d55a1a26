import type { AuditAction } from "@safelight/contract";
import { recordAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { countedAddress } from "../limits/caller-address.ts";

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

export interface CountedEntry {
  readonly action: AuditAction;
  readonly route: string;
  readonly outcome: "success" | "failure";
  readonly target?: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
  /** One row for all targets together: whoever tries one name after the other does not fill the log. */
  readonly acrossTargets?: boolean;
}

/** One row per actor, source, route, target and minute. Answers whether it wrote one. Errors: `auth_unavailable`. */
export async function recordCounted(context: Context, entry: CountedEntry): Promise<boolean> {
  const counted = tallies.get(context.database) ?? new Map<string, Tally>();
  tallies.set(context.database, counted);
  const target = entry.acrossTargets === true ? "" : (entry.target ?? "");
  // Whoever has one IPv6 address has 2^64 of them: all of a /64 are one source, or a single machine could fill the log.
  const source = countedAddress(context.source) ?? context.source;
  const key = [entry.action, entry.outcome, source, context.actor.id, entry.route, target].join(" ");
  const now = context.clock.now();
  const tally = counted.get(key);
  if (tally !== undefined && now >= tally.since && now - tally.since < minute) {
    tally.more += 1;
    return false;
  }
  if (counted.size >= mostKeys) counted.clear();
  counted.set(key, { since: now, more: 0 });
  const details = { route: entry.route, ...entry.details, earlier: tally?.more ?? 0 };
  try {
    await recordAudit(context, { action: entry.action, target: entry.target ?? null, outcome: entry.outcome, details });
    return true;
  } catch (cause) {
    counted.delete(key);
    throw new SafelightError("auth_unavailable", "What was asked cannot be recorded at the moment.", { cause });
  }
}

/** Writes the refusal down and throws it; where no row can be written, throws `auth_unavailable` instead (FR-012). */
export async function refuseWithRecord(
  context: Context,
  refusal: {
    readonly action: "cors_origin_blocked" | "proxy_target_invalid" | "content_refused" | "secret_access_denied";
    readonly route: string;
    readonly target?: string | null;
    /** Finer than the code, for operators. */
    readonly reason?: string;
  },
  error: SafelightError,
): Promise<never> {
  const { action, route, target = null, reason } = refusal;
  const details = { code: error.code, ...(reason === undefined ? {} : { reason }) };
  if (await recordCounted(context, { action, route, target, outcome: "failure", details, acrossTargets: true })) {
    context.log.warn("a request was refused", { action, route, target, ...details });
  }
  throw error;
}
