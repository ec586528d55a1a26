// What every benchmark returns, and how it is printed: a figure stands beside a peer or a limit measured in the same run,
// because machines are noisy and only the ratio travels.
export interface Figure {
  readonly what: string;
  /** What was measured, for example "3,120 /s". */
  readonly measured: string;
  /** The peer or limit it is held against, measured in the same run; "–" when the target is absolute. */
  readonly against: string;
  /** measured ÷ peer where both are rates; peer ÷ measured where both are times: 1 is level, more is better. */
  readonly ratio: number | null;
  readonly target: string;
  readonly reached: boolean;
  readonly note?: string;
}

/** The value below which `share` (0–1) of the samples lie. @throws RangeError without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (value === undefined) throw new RangeError("percentile of no samples");
  return value;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** Median of the times of many runs, milliseconds, after a few that warm up. */
export async function medianTimeOf(
  run: () => Promise<unknown>,
  { warmUp, rounds }: { warmUp: number; rounds: number },
): Promise<number> {
  const samples: number[] = [];
  for (let round = -warmUp; round < rounds; round += 1) {
    const began = performance.now();
    await run();
    if (round >= 0) samples.push(performance.now() - began);
  }
  return median(samples);
}

export function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString("en")} /s`;
}

export function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString("en")} ms`;
}

export function megabytesPerSecond(bytes: number, ms: number): string {
  return `${Math.round(bytes / 1e6 / (ms / 1_000)).toLocaleString("en")} MB/s`;
}

export function printTable(figures: readonly Figure[]): void {
  const rows = figures.map((figure) => [
    figure.what,
    figure.measured,
    figure.against,
    figure.ratio === null ? "–" : figure.ratio.toFixed(2),
    figure.target,
    figure.reached ? "yes" : "NO",
  ]);
  const header = ["figure", "measured", "against, same run", "ratio", "target", "reached"];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  console.log(line(header));
  console.log(line(widths.map((width) => "-".repeat(width))));
  for (const row of rows) console.log(line(row));
  for (const figure of figures) if (figure.note !== undefined) console.log(`\n${figure.what}: ${figure.note}`);
}
