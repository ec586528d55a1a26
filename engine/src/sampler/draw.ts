// The three ways of the model: a still from text or from a picture, the motion that follows from a still, and the
// passage between two stills.

import { gaussianNoise } from "../noise/noise.ts";
import { type FlowRequest, type OnStep, runFlow } from "./flow.ts";
import type { Graphs } from "./graphs.ts";
import { blended, type Grid, latentLength, repeated } from "./latent.ts";
import { MOTION_POWER, PICTURE_POWER, stepsToRun } from "./schedule.ts";
import type { TextCondition } from "./text-condition.ts";

/** Noise laid on a still before its motion is drawn; without it nothing would move. */
const BRIDGE_NOISE = 0.2;

export interface StillRequest {
  readonly grid: Grid;
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  readonly text: TextCondition;
  /** A picture's latent to start from and how far to leave it (0 to 1); null draws from noise. */
  readonly initial: { readonly latent: Float32Array; readonly strength: number } | null;
}

/** Latent of one still. Runs stepsToRun(steps, strength) steps. */
export async function drawStill(graphs: Graphs, request: StillRequest, onStep: OnStep): Promise<Float32Array> {
  const { grid, initial, steps, guidance, text } = request;
  const strength = initial?.strength ?? 1;
  const from = 1 - strength;
  const noise = gaussianNoise(request.seed, latentLength(grid));
  const flow: FlowRequest = {
    grid,
    start: initial ? blended(noise, initial.latent, from ** PICTURE_POWER) : noise,
    from: [from],
    power: PICTURE_POWER,
    steps: stepsToRun(steps, strength),
    text,
    guidance,
    phases: [0],
    references: null,
  };
  return runFlow(graphs, flow, onStep);
}

export interface MotionRequest {
  readonly grid: Grid;
  readonly seed: number;
  readonly steps: number;
  readonly text: TextCondition;
  /** Still of phase 0. */
  readonly still: Float32Array;
  /** Places in the closed loop to draw, each in (0, 1). */
  readonly phases: readonly number[];
}

/** Latents of the still's motion at the given phases, without guidance: the still says what is to be seen. */
export async function drawMotion(graphs: Graphs, request: MotionRequest, onStep: OnStep): Promise<Float32Array> {
  const { grid, still, phases, text } = request;
  const noise = gaussianNoise(request.seed, still.length);
  // One noise for all phases keeps what does not move from flickering.
  const bridge = still.map((value, index) => value + BRIDGE_NOISE * (noise[index] ?? 0));
  const flow: FlowRequest = {
    grid,
    start: repeated(bridge, phases.length),
    from: phases.map(() => 0),
    power: MOTION_POWER,
    steps: request.steps,
    text,
    guidance: 1,
    phases,
    references: repeated(still, phases.length),
  };
  return runFlow(graphs, flow, onStep);
}
