import type { Checks } from "../data/accounts.ts";
import { strings } from "./strings.ts";

const width = 72;
const height = 20;
const shown = 10;

/** How long the last checks took, oldest first, as a line; a bad check breaks it and is marked with a cross. */
export function Spark({ checks }: { checks: Checks }) {
  const last = checks.slice(0, shown).toReversed();
  if (last.length < 2) return <span className="admin-spark" aria-hidden="true" />;
  const bad = last.filter(({ outcome }) => outcome === "failed").length;
  const { line, misses } = sparkPaths(last);
  return (
    <>
      <svg className="admin-spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
        <path d={line} />
        <path className="admin-miss" d={misses} />
      </svg>
      <span className="visually-hidden">{strings.spark(last.length - bad, bad)}</span>
    </>
  );
}

/** The line and the crosses as SVG paths. `checks` are oldest first, at least two. */
export function sparkPaths(checks: Checks): { line: string; misses: string } {
  const times = checks.flatMap(({ outcome, latency_ms }) =>
    outcome === "ok" && latency_ms !== null ? [latency_ms] : [],
  );
  const most = Math.max(1, ...times);
  const x = (index: number) => round(3 + (index / (checks.length - 1)) * (width - 6));
  let drawing = false;
  const parts: string[] = [];
  const misses: string[] = [];
  for (const [index, { outcome, latency_ms }] of checks.entries()) {
    if (outcome === "failed" || latency_ms === null) {
      drawing = false;
      misses.push(`M${round(x(index) - 2)} ${height - 8}l4 4m0-4l-4 4`);
      continue;
    }
    parts.push(`${drawing ? "L" : "M"}${x(index)} ${round(height - 3 - (latency_ms / most) * (height - 6))}`);
    // A single good check between bad ones is a dot.
    if (!drawing) parts.push("h0.1");
    drawing = true;
  }
  return { line: parts.join(""), misses: misses.join("") };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
