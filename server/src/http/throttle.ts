/** How often a route may be asked. Stands before every other check, so that guessing keys costs time and refusals cost little. */
import type { Route } from "@safelight/contract";
import type { FastifyRequest } from "fastify";
import { SafelightError } from "../errors.ts";
import { countedCaller } from "../limits/caller-address.ts";
import type { Limits } from "../limits/limits.ts";
import { type RuleName, rules } from "../limits/rules.ts";
import { findAdminSession } from "../sessions/admin-sessions.ts";
import { adminCredential } from "../sessions/credential.ts";
import type { Installation } from "./installation.ts";
import { recordCounted } from "./refusals.ts";
import { contextOf } from "./request-context.ts";
import { readAdminCookie } from "./session-cookie.ts";

/** Rows of the audit log for throttled callers of all addresses together, in a minute. Who has many addresses cannot fill the log. */
const mostRows = 60;
const minute = 60_000;

/** `admin`: by the session that the cookie names, else by the address. */
export type RouteRule = "client_session" | "admin_session" | "admin";

/** What limits a route; null for those that have no rate. */
export function ruleOf(route: Pick<Route, "method" | "path">): RouteRule | null {
  if (route.path === "/auth/session" && route.method === "POST") return "client_session";
  if (route.path === "/admin/session" && route.method === "POST") return "admin_session";
  return route.path.startsWith("/admin/") ? "admin" : null;
}

export interface Throttled {
  readonly rule: RuleName;
  /** Milliseconds until the caller is let through again. */
  readonly wait: number;
  readonly address: string;
  /** The session that asked too often, as the audit log names it. */
  readonly session: string | null;
}

/** Counts the request; null where it may go on. */
export async function throttle(
  installation: Installation,
  routeRule: RouteRule,
  request: FastifyRequest,
): Promise<Throttled | null> {
  const session = routeRule === "admin" ? await activeSession(installation, request) : null;
  const rule = routeRule === "admin" ? (session === null ? "admin_by_address" : "admin_by_session") : routeRule;
  const address = countedCaller(request.ips ?? [request.ip]);
  const wait = await installation.limits.take(rule, session?.id ?? address);
  return wait === 0 ? null : { rule, wait, address, session: session?.name ?? null };
}

/** Throws `rate_limited`; where that cannot be written down, `auth_unavailable` (FR-012). */
export async function refuseThrottled(
  installation: Installation,
  route: string,
  request: FastifyRequest,
  { rule, wait, address, session }: Throttled,
): Promise<never> {
  const retryAfter = Math.ceil(wait / 1000);
  const { limits, context: system } = installation;
  const budget = budgetOf(limits, system.clock.steady());
  if (budget.left === 0) budget.unrecorded += 1;
  else {
    budget.left -= 1;
    // By the counted address: all the addresses of one /64 are one source.
    const context = { ...contextOf(system, request), source: address };
    const details = {
      code: "rate_limited",
      limit: rule,
      ...(budget.earlier === 0 ? {} : { unrecorded: budget.earlier }),
    };
    const entry = { action: "rate_limited", route, target: session, outcome: "failure", details } as const;
    if (await recordCounted(context, entry)) {
      budget.earlier = 0;
      system.log.warn("a caller was slowed down", {
        route,
        source: address,
        session,
        limit: rule,
        correlation_id: request.id,
      });
    } else budget.left += 1;
  }
  throw new SafelightError(
    "rate_limited",
    `At most ${rules[rule].most} such requests in ${rules[rule].window / 1000} seconds; the next is accepted in ${retryAfter} seconds.`,
    { retryAfter },
  );
}

interface Budget {
  readonly since: number;
  left: number;
  /** Refusals of this minute without a row. */
  unrecorded: number;
  /** Those of the minutes before that no row has named yet. */
  earlier: number;
}

const budgets = new WeakMap<Limits, Budget>();

function budgetOf(limits: Limits, now: number): Budget {
  const known = budgets.get(limits);
  if (known !== undefined && now - known.since < minute) return known;
  const earlier = known === undefined ? 0 : known.earlier + known.unrecorded;
  const budget = { since: now, left: mostRows, unrecorded: 0, earlier };
  budgets.set(limits, budget);
  return budget;
}

/** A cookie that names no active session counts by its address like none: made-up cookies open nothing and fill no memory. */
async function activeSession(
  { context }: Installation,
  request: FastifyRequest,
): Promise<{ id: string; name: string } | null> {
  const token = readAdminCookie(request);
  if (token === undefined || token.length > 128) return null;
  try {
    const id = await findAdminSession(context, token);
    return id === null ? null : { id, name: adminCredential(id).actor.id };
  } catch {
    // The check of the credentials, which comes later, says what is wrong.
    return null;
  }
}
