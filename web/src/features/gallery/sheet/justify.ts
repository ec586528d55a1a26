// One row of pictures after another: full rows end at both edges, every picture keeps its proportions.

export interface RowRules {
  /** Pixels a row may take, edge to edge. */
  width: number;
  /** Pixels a row is meant to be high. */
  height: number;
  /** Pixels between two pictures. */
  gap: number;
}

export interface JustifiedRow {
  /** How many of the pictures stand in this row; at least 1. */
  count: number;
  /** Whole pixels. */
  height: number;
  /** Whole pixels, one per picture; with the gaps they add up to the width of a full row. */
  widths: readonly number[];
  /** False for the last row of a section, which stands left at its own width. */
  full: boolean;
}

/** No row grows beyond this many times its height; what would be taller is cropped a little. */
const tallest = 1.5;
/** A panorama or a ribbon is shown cropped to these proportions. */
const narrowest = 0.35;
const widest = 4;

/** Proportions of a picture as a grid shows it; 1 where the size is not known. */
export function gridRatio(width: number, height: number): number {
  if (!(width > 0 && height > 0)) return 1;
  return Math.min(widest, Math.max(narrowest, width / height));
}

/**
 * The row that begins with picture `start` and holds none from `end` on. It depends on nothing before `start` and on at
 * most one picture behind it, so that a longer list leaves the rows it had as they were.
 */
export function nextRow(ratioAt: (index: number) => number, start: number, end: number, rules: RowRules): JustifiedRow {
  const ratios: number[] = [];
  let sum = 0;
  for (let index = start; index < end; index += 1) {
    const ratio = ratioAt(index);
    ratios.push(ratio);
    sum += ratio;
    if (fillingHeight(sum, ratios.length, rules) > rules.height) continue;
    return fullRow(closerRow(ratios, sum, rules), rules);
  }
  return openRow(ratios, rules);
}

/** How high a row of these pictures is when it fills the width. */
function fillingHeight(sum: number, count: number, { width, gap }: RowRules): number {
  return Math.max(1, width - gap * (count - 1)) / sum;
}

/** With its last picture the row is too low, without it too high: the one nearer to the wanted height. */
function closerRow(ratios: number[], sum: number, rules: RowRules): number[] {
  const last = ratios.at(-1) ?? 1;
  if (ratios.length === 1) return ratios;
  const low = fillingHeight(sum, ratios.length, rules);
  const high = fillingHeight(sum - last, ratios.length - 1, rules);
  return high / rules.height < rules.height / low ? ratios.slice(0, -1) : ratios;
}

function fullRow(ratios: readonly number[], rules: RowRules): JustifiedRow {
  const { width, gap } = rules;
  const sum = ratios.reduce((total, ratio) => total + ratio, 0);
  const inner = Math.max(ratios.length, width - gap * (ratios.length - 1));
  const height = Math.max(1, Math.round(Math.min(inner / sum, rules.height * tallest)));
  // Edges are rounded, not widths: otherwise half a pixel each adds up to a ragged right side.
  let before = 0;
  let ratio = 0;
  const widths = ratios.map((own) => {
    ratio += own;
    const edge = Math.round((inner * ratio) / sum);
    const pixels = edge - before;
    before = edge;
    return pixels;
  });
  return { count: ratios.length, height, widths, full: true };
}

function openRow(ratios: readonly number[], { height }: RowRules): JustifiedRow {
  return { count: ratios.length, height, widths: ratios.map((ratio) => Math.round(ratio * height)), full: false };
}
