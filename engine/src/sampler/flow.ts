// Euler steps along the model's velocity field, from noise (or a picture mixed with noise) to latent pictures.

import type { Ends, Graphs, TextStates } from "./graphs.ts";
import { type Grid, latentLength } from "./latent.ts";
import { guidanceAt, timeOfStep } from "./schedule.ts";
import type { TextCondition } from "./text-condition.ts";

export interface FlowRequest {
  readonly grid: Grid;
  /** Latents to start from, one per row. */
  readonly start: Float32Array;
  /** Where on the way each row starts, 0 (noise) to 1, before `power`. */
  readonly from: readonly number[];
  readonly power: number;
  /** Steps that run; every row takes all of them over its own part of the way. */
  readonly steps: number;
  readonly text: TextCondition;
  readonly guidance: number;
  /** Place of each row in its closed loop, or on its way to another still, 0 to 1; 0 is the still. */
  readonly phases: readonly number[];
  /** The stills that rows move between; null when they are drawn from the text alone. */
  readonly ends: Ends | null;
}

type Velocity = Float32Array | Float64Array;

/**
 * Called after each step with the number of steps done and a function that gives the pictures the rows are heading for:
 * the state carried to the end along its present velocity, far clearer than the noisy state itself.
 */
export type OnStep = (done: number, predicted: (rows: readonly number[]) => Float32Array) => Promise<void>;

export async function runFlow(graphs: Graphs, request: FlowRequest, onStep: OnStep): Promise<Float32Array> {
  const { grid, steps, power, guidance, text } = request;
  const rows = request.phases.length;
  const length = latentLength(grid);
  // Without guidance the unwanted branch would be computed and multiplied by zero.
  const guided = guidance !== 1 && text.negative !== null;
  const branches = guided ? 2 : 1;
  const fixed = {
    grid,
    rows: rows * branches,
    text: spread(guided && text.negative ? [text.positive, text.negative] : [text.positive], rows),
    phases: Float32Array.from({ length: rows * branches }, (_, row) => request.phases[row % rows] ?? 0),
    ends: request.ends ? twiceEnds(request.ends, branches) : null,
  };
  const latents = request.start.slice();
  const times = new Float64Array(rows);
  const strides = new Float64Array(rows);

  for (let step = 0; step < steps; step++) {
    for (let row = 0; row < rows; row++) {
      const from = request.from[row] ?? 0;
      const time = timeOfStep(step, steps, from, power);
      times[row] = time;
      strides[row] = timeOfStep(step + 1, steps, from, power) - time;
    }
    const asked = Float32Array.from({ length: rows * branches }, (_, row) => times[row % rows] ?? 0);
    const answer = await graphs.velocity({ ...fixed, latents: twice(latents, branches), times: asked });
    const velocity = guided ? guide(answer, times, length, guidance) : answer;
    const predicted = (wanted: readonly number[]) => predict(latents, velocity, times, length, wanted);
    // The prediction needs the state before the step, so it is asked for first and the step is taken after.
    await onStep(step + 1, predicted);
    advance(latents, velocity, strides, length);
  }
  return latents;
}

/** Double precision: the difference of two near velocities is scaled up here. */
function guide(answer: Float32Array, times: Float64Array, length: number, guidance: number): Float64Array {
  const half = answer.length / 2;
  const velocity = new Float64Array(half);
  for (let index = 0; index < half; index++) {
    const scale = guidanceAt(times[Math.floor(index / length)] ?? 0, guidance);
    const unwanted = answer[half + index] ?? 0;
    velocity[index] = unwanted + scale * ((answer[index] ?? 0) - unwanted);
  }
  return velocity;
}

function predict(
  latents: Float32Array,
  velocity: Velocity,
  times: Float64Array,
  length: number,
  rows: readonly number[],
): Float32Array {
  const result = new Float32Array(rows.length * length);
  rows.forEach((row, place) => {
    const rest = 1 - (times[row] ?? 0);
    for (let index = 0; index < length; index++) {
      const source = row * length + index;
      result[place * length + index] = (latents[source] ?? 0) + rest * (velocity[source] ?? 0);
    }
  });
  return result;
}

function advance(latents: Float32Array, velocity: Velocity, strides: Float64Array, length: number): void {
  for (let index = 0; index < latents.length; index++) {
    const stride = strides[Math.floor(index / length)] ?? 0;
    latents[index] = (latents[index] ?? 0) + stride * (velocity[index] ?? 0);
  }
}

function twice(values: Float32Array, branches: number): Float32Array {
  if (branches === 1) return values;
  const result = new Float32Array(values.length * 2);
  result.set(values);
  result.set(values, values.length);
  return result;
}

function twiceEnds({ first, last, arrives }: Ends, branches: number): Ends {
  return { first: twice(first, branches), last: twice(last, branches), arrives: twice(arrives, branches) };
}

/** One block per row from one block per branch: all rows of the first branch, then all of the second. */
function spread(branches: readonly TextStates[], rows: number): TextStates {
  const widen = (pick: (branch: TextStates) => Float32Array) => {
    const block = branches[0] ? pick(branches[0]).length : 0;
    const result = new Float32Array(block * rows * branches.length);
    branches.forEach((branch, place) => {
      for (let row = 0; row < rows; row++) result.set(pick(branch), (place * rows + row) * block);
    });
    return result;
  };
  return { states: widen((b) => b.states), mask: widen((b) => b.mask), pooled: widen((b) => b.pooled) };
}
