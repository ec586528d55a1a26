import { readFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { bundledModel, loadVocabulary } from "../vocabulary/vocabulary.ts";
import { drawMotion, drawStill, type Moment } from "./draw.ts";
import { type Graphs, openGraphs } from "./graphs.ts";
import { blended, joined, latentLength } from "./latent.ts";
import { stepsToRun } from "./schedule.ts";
import { encodeCondition } from "./text-condition.ts";

// Pictures that torch drew with the same weights and the same noise ("fixtures" of the training). A processor with other
// vector instructions may turn a few pixels, hence the tolerance; a wrong step, seed, guidance or time curve changes half
// of them.
const SAME_PIXELS = 0.995;
const fixtures = path.join(import.meta.dirname, "fixtures");

interface Request {
  prompt: string;
  seed: number;
  steps: number;
}
interface StillRequest extends Request {
  name: string;
  width: number;
  height: number;
  negativePrompt: string;
  guidance: number;
}
const requests: {
  stills: StillRequest[];
  redrawn: Request & { guidance: number; strength: number };
  moved: Request;
  passed: Request;
} = JSON.parse(readFileSync(path.join(fixtures, "requests.json"), "utf8"));

const vocabulary = loadVocabulary(bundledModel);
const square = { width: 64, height: 64 };
const nothing = async () => {};
let graphs: Graphs;

beforeAll(async () => {
  graphs = await openGraphs(bundledModel, 2);
});

async function fixture(name: string): Promise<Uint8Array> {
  return sharp(path.join(fixtures, `${name}.png`))
    .removeAlpha()
    .raw()
    .toBuffer();
}

/** Pictures of 64 × 64 one after the other as one picture side by side, as the fixtures hold them. */
function strip(pictures: Uint8Array): Uint8Array {
  const count = pictures.length / (64 * 64 * 3);
  const result = new Uint8Array(pictures.length);
  for (let picture = 0; picture < count; picture++) {
    for (let row = 0; row < 64; row++) {
      const from = (picture * 64 + row) * 64 * 3;
      result.set(pictures.subarray(from, from + 64 * 3), (row * count + picture) * 64 * 3);
    }
  }
  return result;
}

/** By pixel: whether both pictures show the same. */
function agreement(actual: Uint8Array, expected: Uint8Array): boolean[] {
  expect(actual.length).toBe(expected.length);
  return Array.from({ length: actual.length / 3 }, (_, pixel) =>
    [0, 1, 2].every((channel) => actual[pixel * 3 + channel] === expected[pixel * 3 + channel]),
  );
}

function share(marks: readonly boolean[]): number {
  return marks.filter(Boolean).length / marks.length;
}

function likeness(actual: Uint8Array, expected: Uint8Array): number {
  return share(agreement(actual, expected));
}

async function condition(prompt: string, guidance = 1, negativePrompt = "") {
  return encodeCondition(graphs, vocabulary, { prompt, negativePrompt, guidance });
}

test.each(requests.stills)("draws $name as torch does", async ({ name, width, height, ...request }) => {
  const grid = { width, height };
  const text = await encodeCondition(graphs, vocabulary, request);
  const latent = await drawStill(graphs, { ...request, grid, text, initial: null }, nothing);
  expect(likeness(await graphs.decode(latent, grid), await fixture(name))).toBeGreaterThanOrEqual(SAME_PIXELS);
});

test("draws from a picture as torch does, in steps × strength steps", async () => {
  const { prompt, seed, steps, guidance, strength } = requests.redrawn;
  const text = await condition(prompt, guidance);
  const initial = { latent: await graphs.encode(await fixture("square"), square), strength };
  const seen: number[] = [];
  const request = { grid: square, seed, steps, guidance, text, initial };
  const latent = await drawStill(graphs, request, async (done) => {
    seen.push(done);
  });
  expect(seen).toEqual(Array.from({ length: 13 }, (_, index) => index + 1));
  const rgb = await graphs.decode(latent, square);
  expect(likeness(rgb, await fixture("from-picture"))).toBeGreaterThanOrEqual(SAME_PIXELS);
});

async function move(request: Request, moments: readonly Moment[]): Promise<Uint8Array> {
  const text = await condition(request.prompt);
  return strip(
    await graphs.decode(await drawMotion(graphs, { ...request, grid: square, text, moments }, nothing), square),
  );
}

test("draws the motion of a still as torch does, its start included", async () => {
  const first = await graphs.encode(await fixture("square"), square);
  const moments = Array.from({ length: 16 }, (_, place) => ({ first, last: null, phase: place / 16 }));
  expect(likeness(await move(requests.moved, moments), await fixture("motion"))).toBeGreaterThanOrEqual(SAME_PIXELS);
});

test("draws the way from one still to another as torch does", async () => {
  expect(likeness(await drawWay(), await fixture("way"))).toBeGreaterThanOrEqual(SAME_PIXELS);
});

async function ends(): Promise<[Float32Array, Float32Array]> {
  return [await graphs.encode(await fixture("first"), square), await graphs.encode(await fixture("last"), square)];
}

async function drawWay(): Promise<Uint8Array> {
  const [first, last] = await ends();
  const moments = Array.from({ length: 15 }, (_, place) => ({ first, last, phase: (place + 1) / 16 }));
  return move(requests.passed, moments);
}

test("on its way a boat is where the renderer has it, and no cross-fade", async () => {
  const [first, last] = await ends();
  const shares = Array.from({ length: 15 }, (_, place) => (place + 1) / 16);
  const faded = strip(await graphs.decode(joined(shares.map((way) => blended(first, last, way))), square));
  const [drawn, true_, subject] = [await drawWay(), await fixture("true-way"), await fixture("subject")];
  // The middle of the way, where neither of the two stills has the boat.
  const counted = Array.from({ length: subject.length / 3 }, (_, pixel) => {
    const picture = Math.floor((pixel % (15 * 64)) / 64);
    return subject[pixel * 3] === 255 && picture >= 4 && picture <= 10;
  });
  const right = (pictures: Uint8Array) => share(agreement(pictures, true_).filter((_, pixel) => counted[pixel]));
  expect(counted.filter(Boolean).length).toBeGreaterThan(1000);
  // The hull is sound, the sail is worn: see the weak spots of the model card.
  expect(right(drawn)).toBeGreaterThan(0.4);
  expect(right(drawn)).toBeGreaterThan(5 * right(faded));
});

test("rows with and without a place to arrive at do not disturb each other", async () => {
  const [first, last] = await ends();
  const alone = await move(requests.passed, [{ first, last: null, phase: 0.25 }]);
  const mixed = await move(requests.passed, [
    { first, last, phase: 0.5 },
    { first, last: null, phase: 0.25 },
  ]);
  const second = Buffer.concat(
    Array.from({ length: 64 }, (_, row) => mixed.subarray((row * 2 + 1) * 64 * 3, (row * 2 + 2) * 64 * 3)),
  );
  expect(likeness(second, alone)).toBeGreaterThanOrEqual(SAME_PIXELS);
});

test("the prediction of a step comes near the result long before the end", async () => {
  const text = await condition(requests.moved.prompt, 3);
  const distances: number[] = [];
  const predictions: Float32Array[] = [];
  const request = { grid: square, seed: 3, steps: 16, guidance: 3, text, initial: null };
  const latent = await drawStill(graphs, request, async (_done, predicted) => {
    predictions.push(predicted([0]));
  });
  expect(latent).toHaveLength(latentLength(square));
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
