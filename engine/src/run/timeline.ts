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
export interface Drawing {
  /** The keyframe as it was given, a phase of its closed loop, or a part of the way to the next keyframe. */
  readonly kind: "still" | "loop" | "onward";
  readonly keyframe: number;
  /** Sixteenths of the loop or of the way, 0 to 15; 0 of a still. */
  readonly phase: number;
}

/** Rounds of a loop that the way between two keyframes takes at most; what is left of a long one is spent in their loops. */
const LONGEST_WAY = 2;

/** Drawings and their order for a clip that passes through keyframes at the given frames (ascending, distinct). */
export function drawingsThrough(
  frames: number,
  fps: number,
  keyframes: readonly number[],
): { drawings: Drawing[]; order: number[] } {
  const drawings: Drawing[] = [];
  const numbers = new Map<string, number>();
  const order = Array.from({ length: frames }, (_, frame) => {
    const drawing = drawingAt(frame, fps, keyframes);
    const name = `${drawing.kind} ${drawing.keyframe} ${drawing.phase}`;
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, drawings.length);
    return drawings.push(drawing) - 1;
  });
  return { drawings, order };
}

function drawingAt(frame: number, fps: number, keyframes: readonly number[]): Drawing {
  const framesPerDrawing = (LOOP_SECONDS * fps) / LOOP_DRAWINGS;
  const next = keyframes.findIndex((place) => place > frame);
  if (next === 0) {
    // Before the first keyframe its loop runs towards it.
    const ticks = Math.ceil(((keyframes[0] ?? 0) - frame) / framesPerDrawing);
    return { kind: "loop", keyframe: 0, phase: wrap(-ticks) };
  }
  if (next < 0) {
    const last = keyframes.length - 1;
    return leaving(last, Math.floor((frame - (keyframes[last] ?? 0)) / framesPerDrawing));
  }
  const start = keyframes[next - 1] ?? 0;
  const length = (keyframes[next] ?? 0) - start;
  return between(next - 1, (frame - start) / length, Math.max(1, Math.round(length / fps / LOOP_SECONDS)));
}

/** `share` of the time between a keyframe and the next one, which is as long as `rounds` rounds of a loop. */
function between(keyframe: number, share: number, rounds: number): Drawing {
  const way = Math.min(rounds, LONGEST_WAY);
  const before = Math.floor((rounds - way) / 2);
  const tick = (from: number, taking: number) => Math.floor(((share * rounds - from) * LOOP_DRAWINGS) / taking + 1e-9);
  const gone = tick(before, way);
  if (gone <= 0) return leaving(keyframe, tick(0, 1));
  if (gone < LOOP_DRAWINGS) return { kind: "onward", keyframe, phase: gone };
  return { kind: "loop", keyframe: keyframe + 1, phase: wrap(tick(before + way, 1)) };
}

/** The keyframe as it was given, then its loop. When that comes round, the start is drawn too: it closes without a jump. */
function leaving(keyframe: number, ticks: number): Drawing {
  return ticks === 0 ? { kind: "still", keyframe, phase: 0 } : { kind: "loop", keyframe, phase: wrap(ticks) };
}

function wrap(ticks: number): number {
  return ((ticks % LOOP_DRAWINGS) + LOOP_DRAWINGS) % LOOP_DRAWINGS;
}
