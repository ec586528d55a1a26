// The three ways of the model: a still from text or from a picture, the motion that follows from a still, and the way
// from one still to another.

import { gaussianNoise } from "../noise/noise.ts";
import { type FlowRequest, type OnStep, runFlow } from "./flow.ts";
import type { Graphs } from "./graphs.ts";
import { blended, type Grid, joined, latentLength } from "./latent.ts";
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
    ends: null,
  };
  return runFlow(graphs, flow, onStep);
}

/** One drawing of a motion. */
export interface Moment {
  /** The still it moves on from. */
  readonly first: Float32Array;
  /** The still it is on the way to; null in the closed loop of `first`. */
  readonly last: Float32Array | null;
  /** Place in the loop, or share of the way: 0 to 1 (exclusive), in sixteenths. */
  readonly phase: number;
}

export interface MotionRequest {
  readonly grid: Grid;
  readonly seed: number;
  readonly steps: number;
  readonly text: TextCondition;
  readonly moments: readonly Moment[];
}

/** Latents of the moments, without guidance: the stills say what is to be seen. */
export async function drawMotion(graphs: Graphs, request: MotionRequest, onStep: OnStep): Promise<Float32Array> {
  const { grid, moments, text } = request;
  const noise = gaussianNoise(request.seed, latentLength(grid));
  const flow: FlowRequest = {
    grid,
    start: joined(moments.map((moment) => startOf(moment, noise))),
    from: moments.map(() => 0),
    power: MOTION_POWER,
    steps: request.steps,
    text,
    guidance: 1,
    phases: moments.map(({ phase }) => phase),
    ends: {
      first: joined(moments.map(({ first }) => first)),
      last: joined(moments.map(({ first, last }) => last ?? first)),
      arrives: Float32Array.from(moments, ({ last }) => (last ? 1 : 0)),
    },
  };
  return runFlow(graphs, flow, onStep);
}

/** One noise for all moments keeps what does not move from flickering. */
function startOf({ first, last, phase }: Moment, noise: Float32Array): Float32Array {
  const still = last ? blended(first, last, phase) : first;
  return still.map((value, index) => value + BRIDGE_NOISE * (noise[index] ?? 0));
}
