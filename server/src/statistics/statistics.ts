/**
 * Throughput, waiting and run times over the last hours. Counts come from two indexes and touch no row; percentiles look at a sample of
 * at most some thousands of tasks, so that a busy week costs about as much as a quiet one.
 */
import type { Statistics } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Prepare } from "../tasks/read.ts";

type Bucket = Statistics["buckets"][number];
type Executor = Statistics["by_executor"][number];
type Quantiles = { p50: number; p95: number } | null;

/** Lengths of a bucket in seconds; the first with which a period has at most this many. */
const steps = [60, 300, 900, 1800, 3600, 7200] as const;
const bucketsWanted = 120;
/** Tasks that percentiles are taken of, at most. */
const sampleSize = 20_000;

type Figures = Omit<Statistics, "storage">;

/** An answer that took long is given again for this many times as long: pages that poll cost a twentieth of the time at most. */
const rest = 20;
/** Shorter than this is not worth keeping, milliseconds. */
const quick = 20;

/** Reads figures, and keeps those that are dear for a few seconds. */
export function createStatistics(context: Context): (hours: number) => Promise<Figures> {
  const kept = new Map<number, { readonly until: number; readonly figures: Figures }>();
  return async (hours) => {
    const known = kept.get(hours);
    const began = performance.now();
    if (known !== undefined && began < known.until) return known.figures;
    const figures = await readStatistics(context, hours);
    const took = performance.now() - began;
    if (took > quick) kept.set(hours, { until: began + took * rest, figures });
    else kept.delete(hours);
    return figures;
  };
}

/** The figures of the last `hours` hours, without those of the storage. */
export async function readStatistics(context: Context, hours: number): Promise<Figures> {
  const prepare = context.database.prepareRead;
  const now = context.clock.now();
  const stepSeconds = steps.find((step) => (hours * 3600) / step <= bucketsWanted) ?? 7200;
  const step = stepSeconds * 1000;
  const from = Math.floor((now - hours * 3_600_000) / step) * step;
  const length = Math.floor((now - from) / step) + 1;
  const period: Period = { from, to: from + length * step, step };
  const ended = await countEnded(prepare, period);
  const samples = await takeSamples(prepare, period, ended.total);
  const submitted = await countSubmitted(prepare, period);
  const buckets = Array.from({ length }, (_, index): Bucket => {
    const waits = samples.waits.get(index) ?? [];
    const runs = samples.runs.get(index) ?? [];
    return {
      at: new Date(from + index * step).toISOString(),
      submitted: submitted.get(index) ?? 0,
      done: ended.buckets.get(index)?.done ?? 0,
      failed: ended.buckets.get(index)?.failed ?? 0,
      cancelled: ended.buckets.get(index)?.cancelled ?? 0,
      wait_seconds: quantiles(waits),
      run_seconds: quantiles(runs),
    };
  });
  const byExecutor = [...ended.executors].map(([executor, { done, failed }]): Executor => {
    return { executor, done, failed, run_seconds: quantiles(samples.runsOf.get(executor) ?? []) };
  });
  return {
    from: new Date(from).toISOString(),
    to: new Date(now).toISOString(),
    step_seconds: stepSeconds,
    buckets,
    by_executor: byExecutor.sort((one, other) => (one.executor < other.executor ? -1 : 1)),
  };
}

interface Period {
  /** Wall milliseconds; `to` is the end of the last bucket. */
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

interface Counts {
  done: number;
  failed: number;
  cancelled: number;
}

const endedThen = "finished_at >= ? AND finished_at < ?";

async function countEnded(prepare: Prepare, { from, to, step }: Period) {
  const rows = await prepare(
    `SELECT CAST((finished_at - ?) / ? AS INTEGER) AS bucket, executor,
       CASE WHEN status = 'done' THEN 'done' WHEN error_code = 'cancelled' THEN 'cancelled' ELSE 'failed' END AS outcome,
       count(*) AS count
     FROM tasks${prepare.dialect.through("tasks_ended")} WHERE ${endedThen} GROUP BY bucket, executor, outcome`,
  ).all(from, step, from, to);
  const buckets = new Map<number, Counts>();
  const executors = new Map<string, Counts>();
  let total = 0;
  for (const row of rows) {
    const outcome = row.outcome as keyof Counts;
    addTo(buckets, Number(row.bucket), outcome, Number(row.count));
    if (row.executor !== null) addTo(executors, String(row.executor), outcome, Number(row.count));
    total += Number(row.count);
  }
  return { buckets, executors, total };
}

function addTo<Key>(counts: Map<Key, Counts>, key: Key, outcome: keyof Counts, count: number): void {
  const found = counts.get(key) ?? { done: 0, failed: 0, cancelled: 0 };
  found[outcome] += count;
  counts.set(key, found);
}

async function countSubmitted(prepare: Prepare, { from, to, step }: Period): Promise<Map<number, number>> {
  const rows = await prepare(
    `SELECT CAST((created_at - ?) / ? AS INTEGER) AS bucket, count(*) AS count FROM tasks${prepare.dialect.through("tasks_by_time")}
     WHERE created_at >= ? AND created_at < ? GROUP BY bucket`,
  ).all(from, step, from, to);
  return new Map(rows.map((row) => [Number(row.bucket), Number(row.count)]));
}

async function takeSamples(prepare: Prepare, { from, to, step }: Period, total: number) {
  const each = Math.max(1, Math.ceil(total / sampleSize));
  const rows = await prepare(
    `SELECT CAST((finished_at - ?) / ? AS INTEGER) AS bucket, executor, status, leased_ms, 
       CASE WHEN started_at > created_at THEN started_at - created_at ELSE 0 END AS waited
     FROM tasks${prepare.dialect.through("tasks_ended")} WHERE ${endedThen} AND started_at IS NOT NULL AND sequence % ? = 0`,
  ).all(from, step, from, to, each);
  const waits = new Map<number, number[]>();
  const runs = new Map<number, number[]>();
  const runsOf = new Map<string, number[]>();
  for (const row of rows) {
    put(waits, Number(row.bucket), Number(row.waited));
    if (row.status !== "done") continue;
    put(runs, Number(row.bucket), Number(row.leased_ms));
    put(runsOf, String(row.executor), Number(row.leased_ms));
  }
  return { waits, runs, runsOf };
}

function put<Key>(lists: Map<Key, number[]>, key: Key, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Of milliseconds, in seconds: the smallest value that so many of them do not exceed. */
export function quantiles(milliseconds: number[]): Quantiles {
  if (milliseconds.length === 0) return null;
  const sorted = milliseconds.sort((one, other) => one - other);
  const at = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0) / 1000;
  return { p50: at(0.5), p95: at(0.95) };
}
