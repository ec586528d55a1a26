// Finds out whether a picture is enlarged pixel art, and on what grid: blocks of one colour change at regular distances
// only. A result of ours that is fed back, lossy or not, comes back to the very pixels the model drew.

/** A picture as RGB bytes. */
export interface RgbPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** Blocks of `size` pixels, the first boundary at `left` and `top` (0 to size − 1). */
export interface PixelGrid {
  readonly size: number;
  readonly left: number;
  readonly top: number;
}

/** Lines looked at in each direction: enough to see every boundary. */
const SAMPLED_LINES = 256;
const LARGEST_BLOCK = 64;
/**
 * Changes that count (sum over the channels) and the share of them that must fall on block boundaries. An exact file has
 * changes nowhere else; a lossy one has small ones everywhere and some of the chroma beside the boundary.
 */
const exact = { change: 1, share: 0.98 };
const lossy = { change: 40, share: 0.8 };
/** Mean change per sampled line below which a side shows nothing to go by. */
const FAINT = 4;

/** Every block size that explains the picture, largest first; the true one and its divisors. */
export function findPixelGrids(picture: RgbPicture): PixelGrid[] {
  const found = gridsWith(picture, exact);
  return found.length > 0 ? found : gridsWith(picture, lossy);
}

function gridsWith(picture: RgbPicture, rule: typeof exact): PixelGrid[] {
  const { width, height } = picture;
  const horizontal = changes(picture, width, height, 3, width * 3, rule.change);
  const vertical = changes(picture, height, width, width * 3, 3, rule.change);
  const grids: PixelGrid[] = [];
  for (let size = LARGEST_BLOCK; size >= 2; size--) {
    const left = regularOffset(horizontal, size, rule.share);
    const top = regularOffset(vertical, size, rule.share);
    if (left !== null && top !== null) grids.push({ size, left, top });
  }
  return grids;
}

/** The picture with one pixel per block: the mean of the block's middle, away from what compression smears. */
export function reduceToGrid(picture: RgbPicture, grid: PixelGrid): RgbPicture {
  const columns = blocks(picture.width, grid.left, grid.size);
  const rows = blocks(picture.height, grid.top, grid.size);
  const rgb = new Uint8Array(columns.length * rows.length * 3);
  rows.forEach(([top, bottom], row) => {
    columns.forEach(([left, right], column) => {
      rgb.set(mean(picture, left, right, top, bottom), (row * columns.length + column) * 3);
    });
  });
  return { width: columns.length, height: rows.length, rgb };
}

/** Sum of colour changes between each pair of neighbouring lines, indexed by the second of them. */
function changes(
  picture: RgbPicture,
  length: number,
  across: number,
  step: number,
  acrossStep: number,
  smallest: number,
): Float64Array {
  const result = new Float64Array(length);
  const stride = Math.max(1, Math.floor(across / SAMPLED_LINES));
  const { rgb } = picture;
  for (let line = 0; line < across; line += stride) {
    for (let place = 1; place < length; place++) {
      const at = line * acrossStep + place * step;
      const before = at - step;
      const change =
        Math.abs((rgb[at] ?? 0) - (rgb[before] ?? 0)) +
        Math.abs((rgb[at + 1] ?? 0) - (rgb[before + 1] ?? 0)) +
        Math.abs((rgb[at + 2] ?? 0) - (rgb[before + 2] ?? 0));
      if (change >= smallest) result[place] = (result[place] ?? 0) + change;
    }
  }
  return result;
}

/** Offset at which boundaries of blocks of this size explain the changes; null when none does. */
function regularOffset(changes: Float64Array, size: number, share: number): number | null {
  const sums = new Float64Array(size);
  let total = 0;
  for (let place = 1; place < changes.length; place++) {
    const change = changes[place] ?? 0;
    sums[place % size] = (sums[place % size] ?? 0) + change;
    total += change;
  }
  if (total < FAINT * SAMPLED_LINES) return null;
  const best = sums.indexOf(Math.max(...sums));
  return (sums[best] ?? 0) >= share * total ? best : null;
}

function blocks(length: number, offset: number, size: number): [number, number][] {
  const starts = offset > 0 ? [0] : [];
  for (let start = offset; start < length; start += size) starts.push(start);
  return starts.map((start, place) => [start, starts[place + 1] ?? length]);
}

function mean(picture: RgbPicture, left: number, right: number, top: number, bottom: number): number[] {
  const insetX = Math.floor((right - left) / 4);
  const insetY = Math.floor((bottom - top) / 4);
  const sums = [0, 0, 0];
  let count = 0;
  for (let y = top + insetY; y < bottom - insetY; y++) {
    for (let x = left + insetX; x < right - insetX; x++) {
      const at = (y * picture.width + x) * 3;
      for (let channel = 0; channel < 3; channel++)
        sums[channel] = (sums[channel] ?? 0) + (picture.rgb[at + channel] ?? 0);
      count++;
    }
  }
  return sums.map((sum) => Math.round(sum / Math.max(1, count)));
}
