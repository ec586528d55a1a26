// Time and frames of a clip of constant rate. Frame numbers begin with 0, as the keyframes of a recipe do.

export interface FrameRate {
  /** Frames a second. */
  fps: number;
  /** Frames in all. */
  frames: number;
}

/** A seek rounds to the microsecond, so a frame may begin a hair late. */
const hair = 0.001;

/** The frame that is shown at a time in seconds. */
export function frameAt(seconds: number, { fps, frames }: FrameRate): number {
  return limitFrame(Math.floor(seconds * fps + hair), frames);
}

/** A time at which this frame is shown for certain: its middle, where no rounding reaches a neighbour. */
export function timeOfFrame(frame: number, { fps, frames }: FrameRate): number {
  return (limitFrame(frame, frames) + 0.5) / fps;
}

/** The time some frames before or after; it stays within the clip. */
export function timeStepped(seconds: number, by: number, rate: FrameRate): number {
  return timeOfFrame(frameAt(seconds, rate) + by, rate);
}

/** Length in seconds: every frame stands for as long as the rate says, the last one too. */
export function lengthOf({ fps, frames }: FrameRate): number {
  return frames / fps;
}

/** The rate when both of its figures are known. */
export function rateOf(fps: number | null | undefined, frames: number | null | undefined): FrameRate | null {
  return fps && frames && fps > 0 && frames > 0 ? { fps, frames } : null;
}

function limitFrame(frame: number, frames: number): number {
  return Math.max(0, Math.min(frames - 1, frame));
}
