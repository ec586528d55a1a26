/** Where the lines of a chart stand: at most four, at round values, the last of them at or above `most`. */
export function roundSteps(most: number): number[] {
  if (most <= 0) return [];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? power * 10;
  const count = Math.ceil(most / step - 1e-9);
  // Floating point must not show in the labels.
  return Array.from({ length: count }, (_, index) => Number(((index + 1) * step).toPrecision(6)));
}

/** Whole steps only, for what is counted. */
export function countSteps(most: number): number[] {
  const steps = roundSteps(most).filter(Number.isInteger);
  const last = steps.at(-1) ?? 0;
  return last >= most ? steps : [...steps, Math.ceil(most)];
}
