import path from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { bundledModel, loadVocabulary } from "../vocabulary/vocabulary.ts";
import { drawMotion, drawStill } from "./draw.ts";
import { type Graphs, openGraphs } from "./graphs.ts";
import { joined } from "./latent.ts";
import { stepsToRun } from "./schedule.ts";
import { encodeCondition } from "./text-condition.ts";

// Pictures drawn by the reference sampler that came with the weights. A processor with other vector instructions may
// turn a few pixels, hence the tolerance; a wrong step, seed, guidance or time curve changes half of them.
const SAME_PIXELS = 0.995;
const vocabulary = loadVocabulary(bundledModel);
const boat = "a large red boat on the left at sea at sunset";
let graphs: Graphs;

beforeAll(async () => {
  graphs = await openGraphs(bundledModel, 2);
});

async function fixture(name: string): Promise<Uint8Array> {
  return sharp(path.join(import.meta.dirname, "fixtures", name))
    .removeAlpha()
    .raw()
    .toBuffer();
}

function share(actual: Uint8Array, expected: Uint8Array): number {
  expect(actual.length).toBe(expected.length);
  let same = 0;
  for (let at = 0; at < actual.length; at += 3) {
    if (actual[at] === expected[at] && actual[at + 1] === expected[at + 1] && actual[at + 2] === expected[at + 2])
      same++;
  }
  return same / (actual.length / 3);
}

const nothing = async () => {};
const stills = [
  { name: "square.png", width: 64, height: 64, prompt: boat, negativePrompt: "", seed: 3, steps: 16, guidance: 3 },
  {
    name: "tall.png",
    width: 48,
    height: 80,
    prompt: "a green dragon in the mountains",
    negativePrompt: "night",
    seed: 7,
    steps: 8,
    guidance: 5,
  },
  {
    name: "wide.png",
    width: 80,
    height: 48,
    prompt: "a robot in the city at night",
    negativePrompt: "",
    seed: 11,
    steps: 12,
    guidance: 1,
  },
];

test.each(stills)("draws $name like the reference sampler", async ({ name, width, height, ...request }) => {
  const grid = { width, height };
  const text = await encodeCondition(graphs, vocabulary, request);
  const latent = await drawStill(graphs, { ...request, grid, text, initial: null }, nothing);
  expect(share(await graphs.decode(latent, grid), await fixture(name))).toBeGreaterThanOrEqual(SAME_PIXELS);
});

test("draws from a picture like the reference sampler, in steps × strength steps", async () => {
  const grid = { width: 64, height: 64 };
  const prompts = { prompt: "a large red boat in the center at sea at night", negativePrompt: "", guidance: 3 };
  const text = await encodeCondition(graphs, vocabulary, prompts);
  const initial = { latent: await graphs.encode(await fixture("square.png"), grid), strength: 0.65 };
  const seen: number[] = [];
  const latent = await drawStill(graphs, { grid, seed: 5, steps: 20, guidance: 3, text, initial }, async (done) => {
    seen.push(done);
  });
  expect(seen).toEqual(Array.from({ length: 13 }, (_, index) => index + 1));
  const rgb = await graphs.decode(latent, grid);
  expect(share(rgb, await fixture("from-picture.png"))).toBeGreaterThanOrEqual(SAME_PIXELS);
});

test("draws motion like the reference sampler", async () => {
  const grid = { width: 64, height: 64 };
  const text = await encodeCondition(graphs, vocabulary, { prompt: boat, negativePrompt: "", guidance: 1 });
  const still = await graphs.encode(await fixture("square.png"), grid);
  const phases = Array.from({ length: 15 }, (_, index) => (index + 1) / 16);
  const motion = await drawMotion(graphs, { grid, seed: 3, steps: 8, text, still, phases }, nothing);
  const frames = await graphs.decode(joined([still, motion]), grid);
  const strip = new Uint8Array(frames.length);
  for (let frame = 0; frame < 16; frame++) {
    for (let row = 0; row < 64; row++) {
      const from = (frame * 64 + row) * 64 * 3;
      strip.set(frames.subarray(from, from + 64 * 3), (row * 16 + frame) * 64 * 3);
    }
  }
  expect(share(strip, await fixture("motion.png"))).toBeGreaterThanOrEqual(SAME_PIXELS);
});

test("the prediction of a step comes near the result long before the end", async () => {
  const grid = { width: 64, height: 64 };
  const text = await encodeCondition(graphs, vocabulary, { prompt: boat, negativePrompt: "", guidance: 3 });
  const distances: number[] = [];
  const predictions: Float32Array[] = [];
  const request = { grid, seed: 3, steps: 16, guidance: 3, text, initial: null };
  const latent = await drawStill(graphs, request, async (_done, predicted) => {
    predictions.push(predicted([0]));
  });
  for (const prediction of predictions) {
    distances.push(Math.hypot(...prediction.map((value, index) => value - (latent[index] ?? 0))));
  }
  expect(distances.at(-1)).toBeLessThan(0.01);
  expect(distances[12]).toBeLessThan((distances[0] ?? 0) / 2);
  expect(distances[8]).toBeLessThan(distances[2] ?? 0);
});

test("steps × strength is rounded and never 0", () => {
  expect([stepsToRun(8, 0.7), stepsToRun(30, 0.01), stepsToRun(25, 1), stepsToRun(4, 0.5)]).toEqual([6, 1, 25, 2]);
});
