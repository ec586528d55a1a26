// Whatever goes wrong with a request, in one form that parts of the page can show.
import type { FieldProblem } from "@safelight/contract";
import { ApiError } from "@safelight/contract/client";

export interface Problem {
  /** The contract's code; "offline" when no answer came at all. */
  code: string;
  /** What happened. */
  detail: string;
  /** What to do about it. */
  action: string;
  /** Finds the request in the server's log. */
  reference: string | null;
  fields: readonly FieldProblem[];
  /** Seconds after which the server invites another try. */
  retryAfter: number | null;
}

export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError;
}

export function problemCode(error: unknown): string | null {
  return error instanceof ApiError ? (error.problem?.code ?? null) : null;
}

export function describeProblem(error: unknown): Problem {
  if (error instanceof ApiError && error.problem !== null) {
    const { code, detail, user_action, correlation_id, errors } = error.problem;
    return {
      code,
      detail,
      action: user_action,
      reference: correlation_id,
      fields: errors ?? [],
      retryAfter: error.retryAfter,
    };
  }
  return {
    code: "offline",
    detail: "The server did not answer.",
    action: "Check the connection; nothing you typed is lost.",
    reference: null,
    fields: [],
    retryAfter: null,
  };
}
