import type { Problem } from "./schemas/problem.ts";

/** A refusal. `problem` is what the server said, or null when something that is not Safelight answered. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem | null;
  /** Seconds after which to try again, where the server said so. */
  readonly retryAfter: number | null;

  constructor(status: number, problem: Problem | null, retryAfter: number | null) {
    super(problem?.detail ?? `The server answered ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** Reads a refused answer, whatever it is; a proxy's page becomes an error without a problem. */
export async function apiErrorOf(response: Response): Promise<ApiError> {
  const retryAfter = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  const problem = await response.json().then(asProblem, () => null);
  return new ApiError(response.status, problem, Number.isNaN(retryAfter) ? null : retryAfter);
}

function asProblem(body: unknown): Problem | null {
  const isProblem = typeof body === "object" && body !== null && "code" in body && "detail" in body;
  return isProblem ? (body as Problem) : null;
}
