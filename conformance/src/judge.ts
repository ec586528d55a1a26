/** Judges one worker as a black box. */
import type { WorkerHealth } from "@safelight/contract/worker";
import { Bench } from "./bench.ts";
import type { Check } from "./check.ts";
import { accessChecks } from "./checks/access.ts";
import { controlChecks } from "./checks/control.ts";
import { healthChecks } from "./checks/health.ts";
import { mediaChecks } from "./checks/media.ts";
import { refusalChecks } from "./checks/refusals.ts";
import { restartCheck } from "./checks/restart.ts";
import { runCheck } from "./checks/runs.ts";
import { taskChecks } from "./checks/tasks.ts";
import { Broken, Probe, shapeOf } from "./probe.ts";
import { drawPicture, pairOf } from "./work.ts";

export interface JudgeOptions {
  readonly url: string;
  readonly key: string;
  /** Restarts the worker, in a shell; without it that part is not judged, and the verdict says so. */
  readonly restartCommand?: string;
  /** Seconds a run of the smallest request may take. 600 unless told. */
  readonly runSeconds?: number;
  /** Seconds after which a stopped run must be over; three times its slowest step unless told, at least 2. */
  readonly stopSeconds?: number;
  /** Seconds for any answer that is not told to wait. 10 unless told. */
  readonly patience?: number;
  /** Names of the only checks to be run, while a worker is being written; the verdict is then `partial` at best. */
  readonly only?: readonly string[];
}

export interface CheckResult {
  readonly check: string;
  readonly outcome: "passed" | "failed";
  /** What was seen, or what is wrong. */
  readonly detail: string;
  readonly seconds: number;
}

export interface Verdict {
  readonly verdict: "conforms" | "partial" | "fails";
  readonly url: string;
  readonly worker: WorkerHealth["worker"] | null;
  readonly protocol: number | null;
  /** Every model and mode that was judged, as "flux txt2img". */
  readonly judged: readonly string[];
  /** Parts that were not asked for. */
  readonly not_judged: readonly string[];
  readonly checks: readonly CheckResult[];
}

/** Runs every check, whatever the others found. Never throws for a fault of the worker. */
export async function judgeWorker(
  options: JudgeOptions,
  report: (result: CheckResult) => void = () => {},
): Promise<Verdict> {
  const { url, key, patience = 10, runSeconds = 600, stopSeconds = null, restartCommand = null } = options;
  const probe = new Probe({ url, key, patience, signal: new AbortController().signal });
  const results: CheckResult[] = [];
  const add = (result: CheckResult) => {
    results.push(result);
    report(result);
  };
  const began = performance.now();
  let health: WorkerHealth;
  try {
    health = shapeOf<WorkerHealth>("getHealth", await probe.ask("getHealth"), 200);
  } catch (error) {
    add({ check: "health", outcome: "failed", detail: complaint(error), seconds: since(began) });
    return verdictOf(options, null, [], results, []);
  }
  const pairs = offered(health);
  const bench = new Bench({ probe, runSeconds, stopSeconds, restartCommand }, pairs, [
    await drawPicture(1),
    await drawPicture(2),
  ]);
  const all: Check[] = [
    ...healthChecks,
    ...accessChecks,
    ...mediaChecks,
    ...refusalChecks,
    ...taskChecks,
    ...controlChecks(bench.types),
    ...pairs.map(runCheck),
    ...(restartCommand === null ? [] : [restartCheck(restartCommand)]),
  ];
  const chosen = all.filter(({ name }) => options.only?.includes(name) ?? true);
  for (const check of chosen) add(await runOne(check, bench));
  const missing = (options.only ?? []).filter((name) => !all.some((check) => check.name === name));
  for (const name of missing) add({ check: name, outcome: "failed", detail: "there is no such check", seconds: 0 });
  return verdictOf(
    options,
    health,
    pairs.map(({ model, mode }) => `${model.id} ${mode}`),
    results,
    all,
  );
}

async function runOne(check: Check, bench: Bench): Promise<CheckResult> {
  const began = performance.now();
  try {
    const detail = await check.run(bench);
    return { check: check.name, outcome: "passed", detail, seconds: since(began) };
  } catch (error) {
    return { check: check.name, outcome: "failed", detail: complaint(error), seconds: since(began) };
  } finally {
    await bench.tidy();
  }
}

function verdictOf(
  { url, only, restartCommand }: JudgeOptions,
  health: WorkerHealth | null,
  judged: readonly string[],
  checks: readonly CheckResult[],
  all: readonly Check[],
): Verdict {
  const failed = checks.length === 0 || checks.some(({ outcome }) => outcome === "failed");
  const run = new Set(checks.map(({ check }) => check));
  return {
    verdict: failed ? "fails" : only === undefined ? "conforms" : "partial",
    url,
    worker: health?.worker ?? null,
    protocol: health?.protocol ?? null,
    judged,
    not_judged: [
      ...all.map(({ name }) => name).filter((name) => !run.has(name)),
      ...(restartCommand === undefined ? ["restart (no --restart-command)"] : []),
    ],
    checks,
  };
}

function offered({ models }: WorkerHealth) {
  return models.flatMap((model) =>
    model.modes.filter(({ available }) => available).flatMap((mode) => pairOf(model.id, mode.id) ?? []),
  );
}

function complaint(error: unknown): string {
  if (error instanceof Broken) return error.message;
  return `the check itself broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function since(began: number): number {
  return Math.round(performance.now() - began) / 1000;
}
