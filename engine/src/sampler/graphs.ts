// The four ONNX graphs. The only file that touches onnxruntime: a run blocks the thread it is called on, so this is
// imported in the child process alone.

import path from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { CELL, CHANNELS, type Grid, latentLength } from "./latent.ts";
import { TEXT_LENGTH } from "./text-length.ts";

const TEXT_WIDTH = 128;
/** Pictures in one run: bounds memory, and more gains no speed on a CPU. */
const LARGEST_BATCH = 32;

/** Encoded prompts: one block of each array per prompt. */
export interface TextStates {
  readonly states: Float32Array;
  readonly mask: Float32Array;
  readonly pooled: Float32Array;
}

/** One question to the transformer about `rows` latents; every array holds one block per row. */
export interface VelocityInput {
  readonly grid: Grid;
  readonly rows: number;
  readonly latents: Float32Array;
  readonly times: Float32Array;
  readonly text: TextStates;
  readonly phases: Float32Array;
  /** Null when every row is drawn from the text alone. */
  readonly ends: Ends | null;
}

/** The stills that rows move between; every array holds one block per row. */
export interface Ends {
  /** The still each row moves on from. */
  readonly first: Float32Array;
  /** The still it arrives at; anything where there is none. */
  readonly last: Float32Array;
  /** 1 where a row arrives somewhere, 0 where it moves in its closed loop. */
  readonly arrives: Float32Array;
}

export interface Graphs {
  encodeText(tokens: BigInt64Array, prompts: number): Promise<TextStates>;
  velocity(input: VelocityInput): Promise<Float32Array>;
  /** RGB bytes, one picture after the other. */
  decode(latents: Float32Array, grid: Grid): Promise<Uint8Array>;
  encode(rgb: Uint8Array, grid: Grid): Promise<Float32Array>;
  /** Milliseconds spent in graph runs since the graphs were opened. */
  elapsed(): number;
}

export async function openGraphs(folder: string, threads: number): Promise<Graphs> {
  const open = (name: string) =>
    InferenceSession.create(path.join(folder, `${name}.onnx`), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      // Each graph has a thread pool of its own. Idle threads that spin while they wait take the cores from the graph that
      // runs: with two threads on two cores a picture then takes twice as long.
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
  const [text, transformer, decoder, encoder] = await Promise.all([
    open("text"),
    open("dit"),
    open("decoder"),
    open("encoder"),
  ]);
  let elapsed = 0;
  const run = async (session: InferenceSession, feeds: Record<string, Tensor>) => {
    const before = performance.now();
    const results = await session.run(feeds);
    elapsed += performance.now() - before;
    return results;
  };

  return {
    elapsed: () => elapsed,
    async encodeText(tokens, prompts) {
      const { states, mask, pooled } = await run(text, { ids: new Tensor("int64", tokens, [prompts, TEXT_LENGTH]) });
      return { states: floats(states), mask: floats(mask), pooled: floats(pooled) };
    },
    async velocity(input) {
      const length = latentLength(input.grid);
      const result = new Float32Array(input.rows * length);
      for (let from = 0; from < input.rows; from += LARGEST_BATCH) {
        const rows = Math.min(LARGEST_BATCH, input.rows - from);
        const { v } = await run(transformer, velocityFeeds(input, from, rows));
        result.set(floats(v), from * length);
      }
      return result;
    },
    async decode(latents, grid) {
      const length = latentLength(grid);
      const pictures = latents.length / length;
      const result = new Uint8Array(pictures * grid.width * grid.height * 3);
      for (let from = 0; from < pictures; from += LARGEST_BATCH) {
        const count = Math.min(LARGEST_BATCH, pictures - from);
        const z = new Tensor("float32", latents.subarray(from * length, (from + count) * length), shape(count, grid));
        const { rgb } = await run(decoder, { z });
        result.set(bytes(rgb), from * grid.width * grid.height * 3);
      }
      return result;
    },
    async encode(rgb, grid) {
      const { z } = await run(encoder, { rgb: new Tensor("uint8", rgb, [1, grid.height, grid.width, 3]) });
      return floats(z);
    },
  };
}

function shape(rows: number, grid: Grid): number[] {
  return [rows, CHANNELS, grid.height / CELL, grid.width / CELL];
}

function velocityFeeds(input: VelocityInput, from: number, rows: number): Record<string, Tensor> {
  const length = latentLength(input.grid);
  const part = (values: Float32Array, block: number, dimensions: number[]) =>
    new Tensor("float32", values.subarray(from * block, (from + rows) * block), dimensions);
  const { states, mask, pooled } = input.text;
  const ends = input.ends ?? noEnds(input.rows, length);
  return {
    x: part(input.latents, length, shape(rows, input.grid)),
    t: part(input.times, 1, [rows]),
    states: part(states, TEXT_LENGTH * TEXT_WIDTH, [rows, TEXT_LENGTH, TEXT_WIDTH]),
    mask: part(mask, TEXT_LENGTH, [rows, 1, 1, TEXT_LENGTH]),
    pooled: part(pooled, TEXT_WIDTH, [rows, TEXT_WIDTH]),
    phase: part(input.phases, 1, [rows]),
    ref: part(ends.first, length, shape(rows, input.grid)),
    has_ref: new Tensor("float32", new Float32Array(rows).fill(input.ends ? 1 : 0), [rows]),
    last: part(ends.last, length, shape(rows, input.grid)),
    has_last: part(ends.arrives, 1, [rows]),
  };
}

function noEnds(rows: number, length: number): Ends {
  const none = new Float32Array(rows * length);
  return { first: none, last: none, arrives: new Float32Array(rows) };
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error("graph output is not a float tensor");
  return tensor.data;
}

function bytes(tensor: Tensor | undefined): Uint8Array {
  if (!(tensor?.data instanceof Uint8Array)) throw new Error("graph output is not a byte tensor");
  return tensor.data;
}
