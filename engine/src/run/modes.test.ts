import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BufferSource, EncodedPacketSink, Input, MP4 } from "mediabunny";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineHost } from "../host/host.ts";
import type { EngineDone, EngineEvent, EngineJob, EngineReference } from "../job/job.ts";
import { readRecipe } from "../recipe/recipe.ts";

const host = new EngineHost({ encoder: "wasm" });
let folder: string;
let boat: string;
let night: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "safelight-modes-"));
  await host.warm();
  boat = (await run({ seed: 3 })).done.path;
  night = (await run({ seed: 5, prompt: "a large blue house on the left in the snow at night" })).done.path;
});
afterAll(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});

let files = 0;
const picture: Omit<EngineJob, "output"> = {
  mode: "txt2img",
  prompt: "a large red boat on the left at sea at sunset",
  negativePrompt: "",
  seed: 3,
  steps: 8,
  guidance: 3,
  strength: 1,
  width: 512,
  height: 512,
  frames: 1,
  fps: 1,
  references: [],
  recipe: { prompt: "boat" },
};
const clip = { ...picture, mode: "t2v", frames: 49, fps: 16, steps: 4, guidance: 1 } as const;

async function run(change: Partial<EngineJob>, format: EngineJob["output"]["format"] = "png") {
  const output = { path: path.join(folder, `${files++}.${format}`), format };
  const events: EngineEvent[] = [];
  for await (const event of host.run({ ...picture, output, ...change }, { signal: AbortSignal.timeout(50_000) })) {
    events.push(event);
  }
  const done = events.at(-1);
  if (done?.type !== "done") throw new Error("no end");
  return { events, done, bytes: await readFile(done.path) };
}

function previews(events: readonly EngineEvent[]): Uint8Array[] {
  return events.flatMap((event) => (event.type === "preview" ? [event.bytes] : []));
}

function denoised(events: readonly EngineEvent[]): number[] {
  return events.flatMap((event) => (event.type === "progress" && event.stage === "denoise" ? [event.step] : []));
}

function expectProgress(events: readonly EngineEvent[]): void {
  const values = events.flatMap((event) => (event.type === "progress" ? [event.progress] : []));
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(values.every((value) => Number.isInteger(value) && value >= 0 && value <= 99)).toBe(true);
  expect(new Set(values).size).toBeGreaterThan(3);
}

async function probe(bytes: Uint8Array) {
  using input = new Input({ formats: [MP4], source: new BufferSource(bytes) });
  const track = await input.getPrimaryVideoTrack();
  const times: number[] = [];
  if (track) for await (const packet of new EncodedPacketSink(track).packets()) times.push(packet.timestamp);
  return { width: await track?.getDisplayWidth(), height: await track?.getDisplayHeight(), times };
}

async function expectFilm(
  done: EngineDone,
  bytes: Uint8Array,
  job: Pick<EngineJob, "width" | "height" | "frames" | "fps">,
) {
  const { times, ...size } = await probe(bytes);
  expect(size).toEqual({ width: job.width, height: job.height });
  expect(times).toHaveLength(job.frames);
  times.forEach((time, frame) => expect(Math.abs(time - frame / job.fps)).toBeLessThan(0.001));
  expect(done).toMatchObject({ contentType: "video/mp4", ...job, bytes: bytes.length });
}

function reference(role: EngineReference["role"], file: string, more: Partial<EngineReference> = {}): EngineReference {
  return { role, path: file, frameIndex: 0, strength: 1, ...more };
}

async function pixels(file: string | Uint8Array): Promise<Buffer> {
  return sharp(file).removeAlpha().raw().toBuffer();
}

/** Share of bytes that are equal. */
function likeness(a: Buffer, b: Buffer): number {
  return a.reduce((sum, value, index) => sum + (value === b[index] ? 1 : 0), 0) / a.length;
}

test.each(["png", "jpeg", "webp"] as const)("txt2img draws a %s of the asked size with its recipe", async (format) => {
  const { done, bytes, events } = await run({ width: 720, height: 1280, steps: 5 }, format);
  expect(await sharp(bytes).metadata()).toMatchObject({ format, width: 720, height: 1280 });
  expect(done).toMatchObject({
    contentType: `image/${format}`,
    bytes: bytes.length,
    frames: 1,
    width: 720,
    height: 1280,
  });
  expect(await readRecipe(bytes)).toEqual({
    prompt: "boat",
    engine: "sketch",
    engine_version: "0.1.0",
    completed_prompt: picture.prompt,
  });
  expect(denoised(events)).toEqual([1, 2, 3, 4, 5]);
  expect(previews(events)).toHaveLength(5);
  expectProgress(events);
});

test("every pixel is a block and the last preview is the picture (FR-004)", async () => {
  const { bytes, events } = await run({ seed: 9 });
  const result = await sharp(bytes).removeAlpha().resize(64, 64, { kernel: "nearest" }).raw().toBuffer();
  const back = sharp(result, { raw: { width: 64, height: 64, channels: 3 } }).resize(512, 512, { kernel: "nearest" });
  expect(Buffer.compare(await pixels(bytes), await back.raw().toBuffer())).toBe(0);
  const last = await sharp(previews(events).at(-1))
    .removeAlpha()
    .resize(64, 64, { kernel: "nearest" })
    .raw()
    .toBuffer();
  expect(Buffer.compare(last, result)).toBe(0);
});

test("seed, steps, guidance, prompt and negative prompt each change the picture", async () => {
  const plain = await pixels((await run({})).bytes);
  const changes = [
    { seed: 4 },
    { steps: 12 },
    { guidance: 6 },
    { prompt: "a cat" },
    { negativePrompt: "sunset sea red" },
  ];
  for (const change of changes) {
    expect(Buffer.compare(await pixels((await run(change)).bytes), plain), JSON.stringify(change)).not.toBe(0);
  }
  expect(Buffer.compare(await pixels((await run({})).bytes), plain)).toBe(0);
});

test("img2img keeps more of the reference the lower the strength, and takes steps × strength steps", async () => {
  const source = await pixels(boat);
  const prompt = "a large green dragon on the right in the mountains at night";
  const shares: number[] = [];
  for (const strength of [0.2, 0.5, 1]) {
    const change = { mode: "img2img", prompt, strength, steps: 10, references: [reference("init", boat)] } as const;
    const { bytes, events, done } = await run(change);
    expect(denoised(events)).toHaveLength(Math.round(10 * strength));
    expect(done.completedPrompt).toBe(prompt);
    shares.push(likeness(await pixels(bytes), source));
  }
  expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  expect(shares[0]).toBeGreaterThan(0.8);
  expect(shares[2]).toBeLessThan(0.4);
});

test("strength 0 hands back the framed reference with a warning", async () => {
  const { done, bytes, events } = await run({ mode: "img2img", strength: 0, references: [reference("init", boat)] });
  expect(Buffer.compare(await pixels(bytes), await pixels(boat))).toBe(0);
  expect(done.warnings.map(({ code }) => code)).toEqual(["strength_zero"]);
  expect(denoised(events)).toEqual([]);
  const still = await run({ ...clip, mode: "i2v", strength: 0, references: [reference("first", boat)] }, "mp4");
  await expectFilm(still.done, still.bytes, { width: 512, height: 512, frames: 49, fps: 16 });
});

test("t2v draws its key frame, then moves it: frames and rate are exact, previews are animated", async () => {
  const size = { width: 512, height: 768 };
  const { done, bytes, events } = await run({ ...clip, ...size, frames: 53, fps: 24 }, "mp4");
  await expectFilm(done, bytes, { ...size, frames: 53, fps: 24 });
  const details = events.flatMap((event) =>
    event.type === "progress" && event.stageDetail ? [event.stageDetail] : [],
  );
  expect(details.slice(0, 4)).toEqual([1, 2, 3, 4].map((step) => `key frame ${step} of 4`));
  expect(denoised(events)).toEqual([1, 2, 3, 4]);
  const shown = previews(events);
  expect(shown).toHaveLength(8);
  const pages = await Promise.all(shown.map(async (bytes) => (await sharp(bytes).metadata()).pages ?? 1));
  expect(pages).toEqual([1, 1, 1, 1, 4, 4, 4, 16]);
  expectProgress(events);
  expect(await readRecipe(bytes)).toMatchObject({ engine: "sketch", prompt: "boat" });
});

test("i2v moves the reference: strength sets the steps, reference strength how closely it is kept", async () => {
  const references = [reference("first", boat)];
  const { done, bytes, events } = await run({ ...clip, mode: "i2v", steps: 8, strength: 0.7, references }, "mp4");
  await expectFilm(done, bytes, { width: 512, height: 512, frames: 49, fps: 16 });
  expect(denoised(events)).toEqual([1, 2, 3, 4, 5, 6]);
  const last = previews(events).at(-1);
  const first = await sharp(last, { page: 0 }).removeAlpha().resize(64, 64, { kernel: "nearest" }).raw().toBuffer();
  const source = await sharp(boat).removeAlpha().resize(64, 64, { kernel: "nearest" }).raw().toBuffer();
  // The picture that was given opens its clip, pixel by pixel.
  expect(Buffer.compare(first, source)).toBe(0);
  const loose = [reference("first", boat, { strength: 0.2 })];
  const redrawn = await run({ ...clip, mode: "i2v", prompt: "a cat in a meadow", references: loose }, "mp4");
  const opening = await sharp(previews(redrawn.events).at(-1), { page: 0 })
    .removeAlpha()
    .resize(64, 64, { kernel: "nearest" })
    .raw()
    .toBuffer();
  expect(likeness(opening, source)).toBeLessThan(0.5);
});

/** The different drawings of a clip on the model's own grid of 64 × 64, as its last preview shows them. */
async function drawingsOf(events: readonly EngineEvent[]): Promise<Buffer[]> {
  const shown = previews(events).at(-1);
  const { pages = 1 } = await sharp(shown).metadata();
  return Promise.all(
    Array.from({ length: pages }, (_, page) =>
      sharp(shown, { page }).removeAlpha().resize(64, 64, { kernel: "nearest" }).raw().toBuffer(),
    ),
  );
}

/** Share of pixels that differ. */
function change(a: Buffer, b: Buffer): number {
  let changed = 0;
  for (let at = 0; at < a.length; at += 3) if (a.compare(b, at, at + 3, at, at + 3) !== 0) changed++;
  return changed / (a.length / 3);
}

test("a loop closes: its seam is no larger than another of its steps", async () => {
  const { events } = await run(
    { ...clip, steps: 8, prompt: "a large blue boat on the right at sea in the day" },
    "mp4",
  );
  const drawings = await drawingsOf(events);
  expect(drawings).toHaveLength(16);
  const steps = drawings.map((drawing, place) => change(drawing, drawings[(place + 1) % 16] ?? drawing));
  expect(Math.min(...steps)).toBeGreaterThan(0);
  expect(steps.at(-1)).toBeLessThanOrEqual(Math.max(...steps.slice(0, -1)));
});

/** Mean column of the red pixels, and how far they lie from it on average. */
function redColumns(picture: Buffer): { mean: number; spread: number } {
  const columns: number[] = [];
  for (let pixel = 0; pixel < 64 * 64; pixel++) {
    const [red = 0, green = 0, blue = 0] = picture.subarray(pixel * 3, pixel * 3 + 3);
    if (red > 150 && green < 90 && blue < 90) columns.push(pixel % 64);
  }
  const mean = columns.reduce((sum, column) => sum + column, 0) / columns.length;
  return { mean, spread: columns.reduce((sum, column) => sum + Math.abs(column - mean), 0) / columns.length };
}

test("first_last_frame: a boat that stands elsewhere in the last picture sails there", async () => {
  const at = async (side: string) => (await run({ prompt: `a red boat on the ${side} at sea in the day` })).done.path;
  const references = [reference("first", await at("left")), reference("last", await at("right"))];
  const change = { mode: "first_last_frame", prompt: "a red boat at sea in the day", steps: 8, references } as const;
  const { events } = await run({ ...clip, ...change }, "mp4");
  const seen = (await drawingsOf(events)).map(redColumns);
  const [start, end] = [seen[0]?.mean ?? 0, seen.at(-1)?.mean ?? 0];
  expect(end - start).toBeGreaterThan(20);
  seen.forEach(({ mean, spread }, place) => {
    const wanted = start + ((end - start) * place) / (seen.length - 1);
    expect(Math.abs(mean - wanted), `drawing ${place} at ${mean}, not ${wanted}`).toBeLessThan(7);
    // In a cross-fade two half boats lie at both ends, each as far from the middle as they are apart.
    expect(spread, `drawing ${place}`).toBeLessThan((end - start) / 4 + 3);
  });
});

test("first_last_frame goes from the first picture to the last", async () => {
  const references = [reference("last", night), reference("first", boat)];
  const { done, bytes, events } = await run({ ...clip, mode: "first_last_frame", references }, "mp4");
  await expectFilm(done, bytes, { width: 512, height: 512, frames: 49, fps: 16 });
  expect(denoised(events)).toEqual([1, 2, 3, 4]);
  expectProgress(events);
  const shown = previews(events).at(-1);
  const { pages = 0 } = await sharp(shown).metadata();
  for (const [page, file] of [
    [0, boat],
    [pages - 1, night],
  ] as const) {
    const frame = await sharp(shown, { page }).removeAlpha().resize(64, 64, { kernel: "nearest" }).raw().toBuffer();
    const source = await sharp(file).removeAlpha().resize(64, 64, { kernel: "nearest" }).raw().toBuffer();
    expect(Buffer.compare(frame, source), file).toBe(0);
  }
});

test("arbitrary_frame takes 2 to 16 keyframes at any frames, neighbours included", async () => {
  const many = Array.from({ length: 16 }, (_, index) =>
    reference("keyframe", index % 2 ? night : boat, { frameIndex: 48 - index * 3, strength: index === 3 ? 0.5 : 1 }),
  );
  const few = [reference("keyframe", boat, { frameIndex: 10 }), reference("keyframe", night, { frameIndex: 11 })];
  for (const references of [few, many]) {
    const { done, bytes, events } = await run({ ...clip, mode: "arbitrary_frame", strength: 0.7, references }, "mp4");
    await expectFilm(done, bytes, { width: 512, height: 512, frames: 49, fps: 16 });
    expect(denoised(events).at(-1)).toBe(3);
    expectProgress(events);
  }
});

test("warnings name what was unknown, completed or without effect", async () => {
  const { done } = await run({ prompt: "a steampunk boat", negativePrompt: "ghosts", guidance: 1 });
  expect(done.warnings.map(({ code, parameter, words }) => ({ code, parameter, words }))).toEqual([
    { code: "unknown_words", parameter: "prompt", words: ["steampunk"] },
    { code: "unknown_words", parameter: "negative_prompt", words: ["ghosts"] },
    { code: "prompt_completed", parameter: "prompt", words: undefined },
    { code: "no_effect", parameter: "negative_prompt", words: undefined },
  ]);
  expect(done.completedPrompt).toContain("steampunk");
  const nothing = await run({ prompt: "кот в сапогах" });
  expect(nothing.done.warnings.map(({ code }) => code)).toEqual(["unknown_words", "nothing_known"]);
  const filler = await run({ prompt: "a beautiful picture of a samurai on the tram" });
  expect(filler.done.warnings.map(({ code }) => code)).toEqual(["unknown_words", "nothing_known"]);
  const references = [reference("first", boat), reference("last", night)];
  const way = await run({ ...clip, mode: "first_last_frame", guidance: 4, references }, "mp4");
  expect(way.done.warnings).toMatchObject([{ code: "no_effect", parameter: "guidance" }]);
});

test("a missing, broken or absent reference fails the job and nothing else", async () => {
  const broken = path.join(folder, "broken.png");
  await writeFile(broken, "no picture");
  const cases = [[], [reference("init", broken)], [reference("init", path.join(folder, "missing.png"))]];
  for (const references of cases) {
    await expect(run({ mode: "img2img", references })).rejects.toMatchObject({
      name: "EngineError",
      code: "invalid_reference",
    });
  }
  expect((await run({ steps: 2 })).done.bytes).toBeGreaterThan(0);
});

test("a full disk or a missing folder is storage_failed and leaves nothing behind", async () => {
  const before = await readdir(folder);
  const outputs = [
    path.join(folder, "no", "such", "folder.png"),
    ...((await stat("/dev/full").catch(() => null)) ? ["/dev/full"] : []),
  ];
  for (const output of outputs) {
    await expect(run({ steps: 2, output: { path: output, format: "png" } })).rejects.toMatchObject({
      name: "EngineError",
      code: "storage_failed",
      message: expect.not.stringContaining(folder),
    });
  }
  expect(await readdir(folder)).toEqual(before);
});

test("webm without an encoder fails plainly", async () => {
  await expect(run(clip, "webm")).rejects.toMatchObject({
    name: "EngineError",
    code: "engine_failed",
    message: /ffmpeg/,
  });
});

test("the engine adds little to the runs of its graphs", async () => {
  const { done } = await run({ steps: 20, width: 1024, height: 1024 });
  const { total, onnx, previewOnnx, output } = done.timings;
  expect(previewOnnx).toBeGreaterThan(0);
  expect(previewOnnx).toBeLessThan(onnx);
  // The bench measures this on a quiet machine; here the limit only catches a gross mistake.
  expect(total - output).toBeLessThan(onnx * 1.5 + 50);
});
