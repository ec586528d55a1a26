// The arithmetic of looking closer. A zoom is the number of screen pixels (device pixels, not those of CSS) along the side
// of one pixel of the picture: 1 shows actual pixels on every screen. "fit" follows the window.

export type Zoom = "fit" | number;

export interface Size {
  width: number;
  height: number;
}

/** How much closer or farther one press of a key goes. */
const step = Math.SQRT2;
/** The closest look: a pixel as a square of this many screen pixels. */
const closest = 16;
/** A small picture on a large screen fits at many times its size, and still can be looked at closer. */
const closestOverFit = 4;
/** Nearer than this, two zooms are the same one. */
const tolerance = 0.001;

/** The zoom at which a picture just fits into a box; both in pixels, the box in those of CSS. */
export function fitZoom(box: Size, picture: Size, pixelRatio: number): number {
  if (picture.width <= 0 || picture.height <= 0) return 1;
  return Math.max(Math.min(box.width / picture.width, box.height / picture.height) * pixelRatio, tolerance);
}

/** The farthest and the closest look there is at a picture that fits at `fit`. */
export function zoomLimits(fit: number): { farthest: number; closest: number } {
  return { farthest: Math.min(fit, 1), closest: Math.max(closest, fit * closestOverFit) };
}

/** A wanted zoom within the limits; one that is the fitting one becomes "fit", so that it follows the window again. */
export function limitZoom(wanted: number, fit: number): Zoom {
  const limits = zoomLimits(fit);
  const zoom = Math.min(limits.closest, Math.max(limits.farthest, wanted));
  return isSameZoom(zoom, fit) ? "fit" : zoom;
}

/** One press closer (1) or farther (-1). Stops on the way at the two zooms that have a name: fit and actual pixels. */
export function steppedZoom(current: Zoom, direction: 1 | -1, fit: number): Zoom {
  const from = current === "fit" ? fit : current;
  const to = direction === 1 ? from * step : from / step;
  const passed = [fit, 1].filter((stop) => isBetween(stop, from, to));
  const nearest = passed.toSorted((a, b) => Math.abs(a - from) - Math.abs(b - from))[0];
  return limitZoom(nearest ?? to, fit);
}

/** What a double click does: actual pixels, and back; where those are the fitting size, twice that. */
export function toggledZoom(current: Zoom, fit: number): Zoom {
  if (current !== "fit") return "fit";
  return isSameZoom(fit, 1) ? limitZoom(fit * 2, fit) : limitZoom(1, fit);
}

/** How far a turn of the wheel or a pinch on a touch pad goes, as a factor; `delta` in pixels of the wheel. */
export function wheelFactor(delta: number): number {
  const limited = Math.max(-100, Math.min(100, delta));
  return Math.exp(-limited / 100);
}

/**
 * Where to scroll, along one axis, so that a place of the picture comes to lie at a place of the window: `fraction` (0 to
 * 1) of the picture at `at` pixels from the window's edge. Smaller pictures stand in the middle.
 */
export function scrollFor(axis: { box: number; size: number; padding: number; fraction: number; at: number }): number {
  const start = axis.padding + Math.max(0, (axis.box - axis.size) / 2);
  return Math.max(0, start + axis.fraction * axis.size - axis.at);
}

export function isSameZoom(a: number, b: number): boolean {
  return Math.abs(a / b - 1) < tolerance;
}

function isBetween(stop: number, from: number, to: number): boolean {
  if (isSameZoom(stop, from)) return false;
  return from < to ? stop > from && stop < to : stop < from && stop > to;
}
