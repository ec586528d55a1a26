/**
 * Routes for operators. Each leaves an audit row however it ends: success is written by the verb in its own transaction, or here for
 * what only reads; failures and refusals are written here, after the rollback, wherever they arose (FR-012). Where no row can be
 * written the answer is `auth_unavailable`.
 */
import type { AuditAction, Route } from "@safelight/contract";
import type { FastifyError, FastifyRequest } from "fastify";
import { recordAudit } from "../audit/append.ts";
import { SafelightError, toSafelightError } from "../errors.ts";
import { explainFrameworkError } from "./problems.ts";
import { recordCounted } from "./refusals.ts";
import { type Call, type Handler, type Registrar, type RouteOptions, register } from "./register.ts";
import { contextOf } from "./request-context.ts";

export interface AdminRouteOptions extends RouteOptions {
  /** Action of the audit log. */
  readonly action: AuditAction;
  /** Reads are counted, one row a minute; changes write their own row. Routes that leave no row of success: `failures`. */
  readonly records: "read" | "change" | "failures";
}

export function registerAdmin<Query = unknown, Body = unknown>(
  registrar: Registrar,
  route: Route,
  { action, records, ...options }: AdminRouteOptions,
  handler: Handler<Query, Body>,
): void {
  const recording: Handler<Query, Body> = async (call) => {
    const answer = await handler(call);
    if (records === "read") {
      await recordCounted(call.context, {
        action,
        route: route.path,
        outcome: "success",
        target: targetOf(call.request),
      });
    }
    return answer;
  };
  const onFailure = (request: FastifyRequest, thrown: FastifyError) =>
    recordFailure(registrar, route, action, request, explainFrameworkError(thrown) ?? toSafelightError(thrown));
  register<Query, Body>(registrar, route, recording, { ...options, onFailure });
}

/** The workspace of the path. */
export function workspaceOf(call: Call<never, never> | Pick<Call, "request">): string {
  return (call.request.params as { workspace?: string }).workspace ?? "";
}

async function recordFailure(
  { installation }: Registrar,
  route: Route,
  action: AuditAction,
  request: FastifyRequest,
  error: SafelightError,
): Promise<void> {
  // It has a row of its own already.
  if (error.code === "cors_origin_blocked" || error.code === "rate_limited") return;
  const context = contextOf(installation.context, request);
  const details = { code: error.code };
  const target = targetOf(request);
  if (request.credential === null) {
    await recordCounted(context, { action, route: route.path, outcome: "failure", details });
    return;
  }
  try {
    await recordAudit(context, { action, target, outcome: "failure", details: { route: route.path, ...details } });
  } catch (cause) {
    throw new SafelightError("auth_unavailable", "The failure cannot be recorded at the moment.", { cause });
  }
}

/** What a path names, if it has the form of a name: a caller does not write into the log what it likes. */
function targetOf(request: FastifyRequest): string | null {
  const { workspace, id, name } = request.params as { workspace?: string; id?: string; name?: string };
  const named = workspace ?? id ?? name ?? "";
  return /^[a-z0-9-]{1,64}(?::[a-z0-9-]{3,64})?$/.test(named) ? named : null;
}
