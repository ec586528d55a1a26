// Runs the checks one after the other, so that each finds the installation as a user would.
import { declaredRoutes } from "./check-access.ts";
import { logIn, type Operator } from "./operator.ts";
import type { Part } from "./part.ts";
import { parts, routeText } from "./parts.ts";
import { BrokenPart, Probe } from "./probe.ts";

export interface CheckOptions {
  url: string;
  key: string | undefined;
  /** Opens the routes for operators; their parts fail without. */
  adminKey?: string | undefined;
  password?: string | undefined;
  /** For all checks together. */
  timeoutMs: number;
  /** Names of parts; all when left out. */
  only?: readonly string[];
}

export interface CheckResult {
  part: string;
  outcome: "ok" | "failed";
  /** What was seen, or what is wrong. */
  text: string;
}

/** Checks an installation and reports each part as it is judged. Never throws: what cannot be checked has failed. */
export async function runChecks(options: CheckOptions, report: (result: CheckResult) => void): Promise<CheckResult[]> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  const probe = new Probe({ url: options.url, key: options.key, signal });
  const results: CheckResult[] = [];
  const add = (part: string, outcome: CheckResult["outcome"], text: string) => {
    const result = { part, outcome, text };
    results.push(result);
    report(result);
  };
  let declared: readonly string[];
  try {
    declared = await declaredRoutes(probe);
  } catch (error) {
    add("documents", "failed", complaint(error, probe, options));
    return results;
  }
  const operator = onceFor(() => logIn(probe, options.adminKey));
  const wanted = (name: string) => options.only === undefined || options.only.includes(name);
  for (const part of parts.filter(({ name }) => wanted(name))) {
    try {
      refuseUndeclared(part, declared);
      add(part.name, "ok", await part.check({ probe, password: options.password, operator: operator.get }));
    } catch (error) {
      add(part.name, "failed", complaint(error, probe, options));
    }
  }
  await operator.logOut();
  for (const route of declared.filter(isUnknown)) {
    add(route, "failed", "declared, but this version of the command has no check for it");
  }
  return results;
}

/** One log-in for all parts, made when the first of them asks; a log-in that failed is not tried again. */
function onceFor(make: () => Promise<Operator>) {
  let made: Promise<Operator> | undefined;
  const get = (): Promise<Operator> => {
    made ??= make();
    return made;
  };
  // Leaving is good manners; whether it works is judged by the part that checks sessions.
  const logOut = () => made?.then((operator) => operator.ask("deleteAdminSession")).catch(() => undefined);
  return { get, logOut };
}

// The contract only grows: a route that every release has and this installation does not declare is a broken part.
function refuseUndeclared(part: Part, declared: readonly string[]): void {
  const missing = part.routes.map(routeText).filter((route) => !declared.includes(route));
  if (missing.length > 0) throw new BrokenPart(`/openapi.json does not declare ${missing.join(", ")}`);
}

function isUnknown(route: string): boolean {
  return !parts.some((part) => part.routes.some((name) => routeText(name) === route));
}

function complaint(error: unknown, probe: Probe, options: CheckOptions): string {
  if (error instanceof BrokenPart) return error.message;
  if (probe.signal.aborted) return `not finished within ${options.timeoutMs / 1000} s for all checks together`;
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return error.name === "TimeoutError" ? "no answer in time" : `${error.message}${cause}`;
}
