// From a wanted size to the model's pixels and back: every model pixel becomes a square block of whole output pixels, so
// nothing is ever blurred. What the block size cannot reach exactly is cut off at the sides.

import type { Grid } from "../sampler/latent.ts";

/**
 * Shapes the model draws well, with the price of choosing each. It was trained on 64×64, 48×80 and 80×48; at those three
 * heights other widths come out as clean (sheets of eight prompts per shape were looked at), while other heights squash
 * subjects or draw them twice, since the ground lies at a trained height.
 */
const shapes: readonly { readonly width: number; readonly height: number; readonly price: number }[] = [
  { width: 32, height: 80, price: 3 },
  { width: 40, height: 80, price: 3 },
  { width: 48, height: 80, price: 0 },
  { width: 56, height: 80, price: 1 },
  { width: 64, height: 80, price: 1 },
  { width: 48, height: 64, price: 1 },
  { width: 56, height: 64, price: 1.5 },
  { width: 64, height: 64, price: 0 },
  { width: 72, height: 64, price: 1.5 },
  { width: 80, height: 64, price: 1 },
  { width: 64, height: 48, price: 1 },
  { width: 72, height: 48, price: 1 },
  { width: 80, height: 48, price: 0 },
  { width: 88, height: 48, price: 2 },
  { width: 96, height: 48, price: 1.5 },
  { width: 104, height: 48, price: 2.5 },
  { width: 112, height: 48, price: 2.5 },
  { width: 120, height: 48, price: 3 },
];

/** Share of the picture one unit of price is worth cutting off instead. */
const PRICE_UNIT = 0.02;
/** Below this width a subject at the side would be cut. */
const NARROW_WIDTH = 48;

/** How a picture of `grid` model pixels fills `width` × `height` output pixels. */
export interface Frame {
  readonly grid: Grid;
  /** Output pixels along the side of one model pixel. */
  readonly scale: number;
  /** Model pixels cut off at the left and at the top; whole, so that the first block is a full one. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The frame for an output size in pixels: least cut off, trained shapes preferred. */
export function chooseFrame(width: number, height: number): Frame {
  const candidates = shapes.map((shape) => {
    const scale = Math.max(Math.ceil(width / shape.width), Math.ceil(height / shape.height));
    const lost = 2 - width / scale / shape.width - height / scale / shape.height;
    return { shape, scale, cost: lost + shape.price * PRICE_UNIT };
  });
  const best = candidates.reduce((a, b) => (b.cost < a.cost ? b : a));
  const { scale, shape } = best;
  return {
    grid: { width: shape.width, height: shape.height },
    scale,
    left: Math.floor((shape.width - width / scale) / 2),
    top: Math.floor((shape.height - height / scale) / 2),
    width,
    height,
  };
}

export function isNarrow(grid: Grid): boolean {
  return grid.width < NARROW_WIDTH;
}

/** Model pixels of which at least a part is to be seen. */
export function visibleGrid(frame: Frame): Grid {
  return { width: Math.ceil(frame.width / frame.scale), height: Math.ceil(frame.height / frame.scale) };
}

/** One side of an output picture: which model pixel it shows and over how many output pixels, in order. */
export interface Run {
  readonly source: number;
  readonly length: number;
}

/** Where each model pixel lies in an output picture. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly columns: readonly Run[];
  readonly rows: readonly Run[];
}

/** The layout of the full output, or of a smaller one with `scale` output pixels per model pixel. */
export function layoutOf(frame: Frame, scale: number = frame.scale): Layout {
  const width = Math.round((frame.width * scale) / frame.scale);
  const height = Math.round((frame.height * scale) / frame.scale);
  return {
    width,
    height,
    columns: runs(frame.left, width, scale),
    rows: runs(frame.top, height, scale),
  };
}

function runs(first: number, length: number, scale: number): Run[] {
  return Array.from({ length: Math.ceil(length / scale) }, (_, place) => ({
    source: first + place,
    length: Math.min(scale, length - place * scale),
  }));
}
