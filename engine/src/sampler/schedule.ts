// Times of the flow, 0 = pure noise, 1 = the picture. The layout of a picture is decided between 0.05 and 0.2, so the
// steps crowd there; guidance starts at 1 and grows, since full guidance at the start draws subjects twice.

/** Exponent of the time curve for pictures; motion starts at a picture and moves evenly (1). */
export const PICTURE_POWER = 2;
export const MOTION_POWER = 1;

const GUIDANCE_FULL_AT = 0.3;
const GUIDANCE_HEAD_START = 0.02;

/** Steps that run: max(1, round(steps × strength)), never more than asked for. */
export function stepsToRun(steps: number, strength: number): number {
  return Math.max(1, Math.round(steps * strength));
}

/** Time at which step `step` of `steps` begins, when the flow starts at `from` (0 to 1, before the power). */
export function timeOfStep(step: number, steps: number, from: number, power: number): number {
  return (from + ((1 - from) * step) / steps) ** power;
}

/** Guidance in force at a time. */
export function guidanceAt(time: number, guidance: number): number {
  return 1 + (guidance - 1) * Math.min(1, (time + GUIDANCE_HEAD_START) / GUIDANCE_FULL_AT);
}
