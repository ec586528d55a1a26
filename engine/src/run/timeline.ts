// Which drawing each frame of a clip shows. The model knows closed loops of 16 drawings; between two of them a frame
// holds the earlier one, the way animators draw "on twos": motion in pixel art is whole pixels, so blending neighbours
// would only add ghosts and blur, and in-between phases come out worn.

/** Drawings of one closed loop. */
export const LOOP_DRAWINGS = 16;
/** Pace at which waves, smoke and flight look natural. */
const LOOP_SECONDS = 2.4;
/** Strength that gives this pace to a clip drawn from a picture; more is livelier, less is calmer. */
const NOMINAL_STRENGTH = 0.7;
/** From this share of a loop on, a clip is made to close; a calmer one only begins to move. */
const CLOSING_SHARE = 0.75;

/** Phases (0 to 15) shown by the frames of a clip that moves on from its first frame. */
export function loopPhases(frames: number, fps: number, strength: number | null): number[] {
  const pace = strength === null ? 1 : strength / NOMINAL_STRENGTH;
  const wanted = (frames / fps / LOOP_SECONDS) * pace;
  const loops = wanted >= CLOSING_SHARE ? Math.round(Math.max(1, wanted)) : wanted;
  return Array.from({ length: frames }, (_, frame) => {
    return Math.floor((frame * LOOP_DRAWINGS * loops) / frames + 1e-9) % LOOP_DRAWINGS;
  });
}

/** Seconds one round of the loop takes in a clip whose frames show these phases. */
export function loopSeconds(fps: number): number {
  return Math.max(LOOP_SECONDS, LOOP_DRAWINGS / fps);
}

/** A drawing of a clip through keyframes. */
export interface Passage {
  /** Keyframe it comes from and its phase there, 0 to 15; phase 0 is the keyframe itself. */
  readonly from: { readonly keyframe: number; readonly phase: number };
  /** Keyframe it is turning into; null while one keyframe's loop is shown alone. */
  readonly to: { readonly keyframe: number; readonly phase: number } | null;
  /** Share of the way gone, 0 to 1 (exclusive). */
  readonly share: number;
}

/**
 * Drawings in which one keyframe turns into the next: a share of the passage, between two bounds. The model knows no way
 * from one scene to another, so a slow change shows a row of half pictures, and a quick one a few good ones.
 */
const TURN_SHARE = 0.4;
const SHORTEST_TURN = 4;
const LONGEST_TURN = 8;

/** Drawings and their order for a clip that passes through keyframes at the given frames (ascending, distinct). */
export function passages(
  frames: number,
  fps: number,
  keyframes: readonly number[],
): { drawings: Passage[]; order: number[] } {
  const drawings: Passage[] = [];
  const numbers = new Map<string, number>();
  const framesPerDrawing = (LOOP_SECONDS * fps) / LOOP_DRAWINGS;
  const order = Array.from({ length: frames }, (_, frame) => {
    const drawing = passageAt(frame, framesPerDrawing, keyframes);
    const name = `${drawing.from.keyframe} ${drawing.from.phase} ${drawing.to?.keyframe} ${drawing.share}`;
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, drawings.length);
    return drawings.push(drawing) - 1;
  });
  return { drawings, order };
}

function passageAt(frame: number, framesPerDrawing: number, keyframes: readonly number[]): Passage {
  const next = keyframes.findIndex((place) => place > frame);
  const last = keyframes.length - 1;
  if (next === 0) {
    // Before the first keyframe its loop runs towards it.
    const ticks = Math.ceil(((keyframes[0] ?? 0) - frame) / framesPerDrawing);
    return { from: { keyframe: 0, phase: wrap(-ticks) }, to: null, share: 0 };
  }
  if (next < 0) {
    const ticks = Math.floor((frame - (keyframes[last] ?? 0)) / framesPerDrawing);
    return { from: { keyframe: last, phase: wrap(ticks) }, to: null, share: 0 };
  }
  const start = keyframes[next - 1] ?? 0;
  const length = (keyframes[next] ?? 0) - start;
  const count = Math.min(length, Math.max(1, Math.round(length / framesPerDrawing)));
  const tick = Math.floor(((frame - start) * count) / length);
  const leaving = { keyframe: next - 1, phase: wrap(tick) };
  const arriving = { keyframe: next, phase: wrap(tick - count) };
  const turn = Math.min(count, Math.max(SHORTEST_TURN, Math.min(LONGEST_TURN, Math.round(count * TURN_SHARE))));
  const share = (tick - (count - turn) / 2) / turn;
  if (share <= 0) return { from: leaving, to: null, share: 0 };
  return share >= 1 ? { from: arriving, to: null, share: 0 } : { from: leaving, to: arriving, share };
}

function wrap(ticks: number): number {
  return ((ticks % LOOP_DRAWINGS) + LOOP_DRAWINGS) % LOOP_DRAWINGS;
}
