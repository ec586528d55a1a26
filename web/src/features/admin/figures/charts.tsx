import type { Statistics } from "@safelight/contract";
import { currentLanguage, formatNumber } from "../../../ui/language.ts";
import { duration } from "../../../ui/time.ts";
import { AsTable } from "./as-table.tsx";
import { inFewerBuckets } from "./fewer-buckets.ts";
import { Plot } from "./plot.tsx";
import { countSteps, roundSteps } from "./scale.ts";
import { strings } from "./strings.ts";

type Bucket = Statistics["buckets"][number];
type Counts = Pick<Bucket, "at" | "submitted" | "done" | "failed" | "cancelled">;
interface ChartProps {
  statistics: Statistics;
}

const day = 24 * 3600;
/** More columns than these are too thin to be told apart. */
const mostColumns = 32;
/** The part of a column that its bar fills; the rest parts it from the next. */
const filled = 0.72;

/** How many tasks ended in each stretch of time, and how. */
export function EndedChart({ statistics }: ChartProps) {
  const { buckets, step_seconds } = inFewerBuckets(statistics, mostColumns);
  const totals = buckets.map(totalOf);
  const most = Math.max(0, ...totals);
  const steps = countSteps(most);
  const top = steps.at(-1) ?? 1;
  const [done, failed, cancelled] = [sum(buckets, "done"), sum(buckets, "failed"), sum(buckets, "cancelled")];
  const busiest = buckets[totals.indexOf(most)];
  const when = busiest === undefined ? "" : momentText(busiest.at, statistics);
  return (
    <figure className="admin-chart">
      <Title title={strings.ended} note={strings.per(duration(step_seconds))} />
      {most === 0 ? (
        <p className="admin-nothing">{strings.empty}</p>
      ) : (
        <Plot
          title={strings.ended}
          text={strings.endedText(done, failed, cancelled, most, when)}
          steps={steps}
          label={(value) => formatNumber(value)}
          axis={axisOf(statistics)}
        >
          {buckets.map((bucket, index) => (
            <Bar
              key={bucket.at}
              bucket={bucket}
              x={(index / buckets.length) * 100}
              width={100 / buckets.length}
              top={top}
            />
          ))}
        </Plot>
      )}
      <figcaption className="admin-key">
        <span>
          <i className="admin-done" />
          {strings.done} {formatNumber(done)}
        </span>
        <span>
          <i className="admin-cancelled" />
          {strings.cancelled} {formatNumber(cancelled)}
        </span>
        <span>
          <i className="admin-failed" />
          {strings.failures} {formatNumber(failed)}
        </span>
      </figcaption>
      <AsTable
        title={strings.ended}
        columns={[strings.submitted, strings.done, strings.cancelled, strings.failures]}
        rows={buckets
          .filter((bucket) => totalOf(bucket) + bucket.submitted > 0)
          .map((bucket) => ({
            head: momentText(bucket.at, statistics),
            cells: [bucket.submitted, bucket.done, bucket.cancelled, bucket.failed].map((count) => formatNumber(count)),
          }))}
      />
    </figure>
  );
}

function Bar({ bucket, x, width, top }: { bucket: Counts; x: number; width: number; top: number }) {
  const parts = [
    ["admin-done", bucket.done],
    ["admin-cancelled", bucket.cancelled],
    ["admin-failed", bucket.failed],
  ] as const;
  let below = 0;
  return parts.map(([name, count]) => {
    if (count === 0) return null;
    const height = (count / top) * 100;
    below += height;
    return <rect key={name} className={name} x={x} y={100 - below} width={width * filled} height={height} />;
  });
}

/** How long tasks waited or ran: from the median to what 95 in 100 stayed within, for each stretch of time. */
export function SpreadChart({ statistics, kind }: ChartProps & { kind: "wait" | "run" }) {
  const { buckets } = statistics;
  const spreads = buckets.map((bucket) => bucket[`${kind}_seconds`]);
  const most = Math.max(0, ...spreads.map((spread) => spread?.p95 ?? 0));
  const steps = roundSteps(most);
  const top = steps.at(-1) ?? 1;
  const width = 100 / buckets.length;
  return (
    <figure className="admin-chart">
      <Title title={strings[kind]} note={strings.spread} />
      {spreads.every((spread) => spread === null) ? (
        <p className="admin-nothing">{strings.none}</p>
      ) : (
        <Plot
          title={strings[kind]}
          text={spreadText(statistics, spreads)}
          steps={steps}
          label={(value) => duration(value)}
          axis={axisOf(statistics)}
        >
          {spreads.map((spread, index) =>
            spread === null ? null : (
              <g key={buckets[index]?.at ?? index}>
                <rect
                  className="admin-range"
                  x={(index + (1 - filled) / 2) * width}
                  width={width * filled}
                  y={100 - (spread.p95 / top) * 100}
                  height={Math.max(0, ((spread.p95 - spread.p50) / top) * 100)}
                />
                <line
                  className="admin-median"
                  x1={(index + (1 - filled) / 2) * width}
                  x2={(index + (1 + filled) / 2) * width}
                  y1={100 - (spread.p50 / top) * 100}
                  y2={100 - (spread.p50 / top) * 100}
                />
              </g>
            ),
          )}
        </Plot>
      )}
      <AsTable
        title={strings[kind]}
        columns={[strings.median, strings.most]}
        rows={buckets.flatMap((bucket, index) => {
          const spread = spreads[index];
          if (spread === null || spread === undefined) return [];
          return [{ head: momentText(bucket.at, statistics), cells: [duration(spread.p50), duration(spread.p95)] }];
        })}
      />
    </figure>
  );
}

function spreadText(statistics: Statistics, spreads: readonly (Bucket["run_seconds"] | undefined)[]): string {
  const longest = spreads.reduce(
    (best, spread, index) => ((spread?.p50 ?? -1) > (spreads[best]?.p50 ?? -1) ? index : best),
    0,
  );
  const spread = spreads[longest];
  const at = statistics.buckets[longest]?.at ?? statistics.from;
  return strings.spreadText(duration(spread?.p50 ?? 0), duration(spread?.p95 ?? 0), momentText(at, statistics));
}

export function Title({ title, note }: { title: string; note: string }) {
  return (
    <div className="admin-head">
      <h3>{title}</h3>
      <span className="text-label text-faint">{note}</span>
    </div>
  );
}

function totalOf({ done, failed, cancelled }: Counts): number {
  return done + failed + cancelled;
}

function sum(buckets: readonly Counts[], field: "done" | "failed" | "cancelled"): number {
  return buckets.reduce((all, bucket) => all + bucket[field], 0);
}

/** The beginning, three moments between, and now. */
function axisOf(statistics: Statistics): string[] {
  const from = Date.parse(statistics.from);
  const length = Date.parse(statistics.to) - from;
  const quarters = [0, 0.25, 0.5, 0.75].map((part) =>
    momentText(new Date(from + part * length).toISOString(), statistics),
  );
  return [...quarters, strings.now];
}

/** "14:00" within a day, "21 Nov, 14:00" beyond. */
function momentText(iso: string, { from, to }: Statistics): string {
  const language = currentLanguage() === "en" ? "en-GB" : currentLanguage();
  const isLong = Date.parse(to) - Date.parse(from) > day * 1000 * 1.1;
  const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  const options: Intl.DateTimeFormatOptions = isLong ? { ...clock, day: "numeric", month: "short" } : clock;
  return new Intl.DateTimeFormat(language, options).format(new Date(iso));
}
