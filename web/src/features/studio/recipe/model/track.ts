// Geometry of the keyframe track.

/** Neighbours are drawn at least this far apart, in pixels, so that in a stack each can be seen and caught. */
const leastGap = 4;
/** The ruler has room for about this many numbers. */
const mostMarks = 7;

/**
 * Where along the track (0 to 1) each entry is drawn: at its own place, or a little beside it where it would cover its
 * neighbour wholly. `width` is the length of the track in pixels, 0 while it is not known.
 */
export function apartPlaces(places: readonly number[], width: number): readonly number[] {
  if (width <= 0) return places;
  const gap = Math.min(leastGap / width, 1 / Math.max(1, places.length - 1));
  const order = places.map((_, index) => index).toSorted((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  const drawn = [...places];
  let lowest = 0;
  for (const index of order) {
    drawn[index] = Math.max(places[index] ?? 0, lowest);
    lowest = (drawn[index] ?? 0) + gap;
  }
  // What was pushed over the end goes back, and pushes those before it.
  let highest = 1;
  for (const index of order.toReversed()) {
    drawn[index] = Math.min(drawn[index] ?? 0, highest);
    highest = (drawn[index] ?? 0) - gap;
  }
  return drawn;
}

/** Whole seconds to be written under a track of this length. */
export function rulerSeconds(length: number): readonly number[] {
  let step = 1;
  while (length / step >= mostMarks) step = step === 1 ? 2 : step === 2 ? 5 : step * 2;
  return Array.from({ length: Math.floor(length / step + 1e-9) + 1 }, (_, index) => index * step);
}
