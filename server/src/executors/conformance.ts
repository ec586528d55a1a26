import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Executor, type RunHandle, type RunRequest, type RunUpdate, StartFailed } from "./executor.ts";

/** One executor under judgement, with requests that it can run. */
export interface Candidate {
  executor: Executor;
  /** A picture that is done within seconds. */
  image: RunRequest;
  /** A clip that is done within seconds. */
  video: RunRequest;
  /** One that is still running after a second, for being stopped. */
  long: RunRequest;
  dispose(): Promise<void>;
}

const never = new AbortController().signal;
let nextTask = 0;

/** Requests are judged under fresh task ids, so that no run is mistaken for another. */
function fresh(request: RunRequest, overrides: Partial<RunRequest> = {}): RunRequest {
  nextTask += 1;
  return { ...request, taskId: `0195a3c2-7f10-7c3e-8a52-${String(nextTask).padStart(12, "0")}`, ...overrides };
}

async function follow(executor: Executor, handle: RunHandle): Promise<RunUpdate[]> {
  const updates: RunUpdate[] = [];
  for await (const update of executor.watch(handle, never)) updates.push(update);
  return updates;
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What every executor promises, whatever stands behind it. */
export function describeExecutor(name: string, open: () => Promise<Candidate>): void {
  describe(`the executor "${name}"`, () => {
    let candidate: Candidate;
    let executor: Executor;

    beforeEach(async () => {
      candidate = await open();
      executor = candidate.executor;
    });

    afterEach(() => candidate.dispose());

    test("names itself, its engine and its slots", () => {
      expect(executor.name).toMatch(/^[a-z0-9-]{3,64}$/);
      expect(executor.engine).not.toBe("");
      const { image, video, total } = executor.slots();
      for (const count of [image, video, total]) expect(Number.isInteger(count)).toBe(true);
      expect(total).toBeGreaterThanOrEqual(1);
      expect(image + video).toBeGreaterThanOrEqual(total);
    });

    test("draws the picture that was asked for and hands it over as it says, as often as asked", async () => {
      const request = fresh(candidate.image);
      const handle = await executor.start(request);
      expect((await follow(executor, handle)).at(-1)).toMatchObject({ state: "succeeded" });
      for (let time = 0; time < 2; time += 1) {
        const { stream, ...facts } = await executor.result(handle);
        const bytes = await collect(stream);
        expect(bytes.byteLength).toBe(facts.bytes);
        expect(createHash("sha256").update(bytes).digest("hex")).toBe(facts.sha256);
        expect(facts).toMatchObject({ width: request.parameters.width, height: request.parameters.height, frames: 1 });
        const { width, height, format } = await sharp(bytes).metadata();
        expect({ width, height, type: `image/${format}` }).toEqual({
          width: facts.width,
          height: facts.height,
          type: facts.contentType,
        });
        expect(facts.engine).toBe(executor.engine);
        expect(facts.engineVersion).not.toBe("");
      }
    });

    test("draws a clip of exactly the frames that were asked for", async () => {
      const request = fresh(candidate.video);
      const handle = await executor.start(request);
      expect((await follow(executor, handle)).at(-1)).toMatchObject({ state: "succeeded" });
      const { stream, ...facts } = await executor.result(handle);
      expect(await collect(stream)).toHaveLength(facts.bytes);
      expect(facts).toMatchObject({
        contentType: "video/mp4",
        width: request.parameters.width,
        height: request.parameters.height,
        frames: request.parameters.num_frames,
        fps: request.parameters.fps,
      });
    });

    test("reports whole, never falling progress and previews whose version rises, and nothing after the end", async () => {
      const handle = await executor.start(fresh(candidate.image));
      const updates = await follow(executor, handle);
      expect(updates.slice(0, -1).every(({ state }) => state === "running")).toBe(true);
      for (const [index, { progress, previewVersion, step, steps }] of updates.entries()) {
        expect(Number.isInteger(progress)).toBe(true);
        expect(progress).toBeGreaterThanOrEqual(updates[index - 1]?.progress ?? 0);
        expect(previewVersion).toBeGreaterThanOrEqual(updates[index - 1]?.previewVersion ?? 0);
        if (step !== null && steps !== null) expect(step).toBeLessThanOrEqual(steps);
      }
      expect(updates.at(-1)?.previewVersion).toBeGreaterThan(0);
      const preview = await executor.preview(handle);
      expect(preview?.contentType).toBe("image/webp");
      expect((await sharp(preview?.bytes).metadata()).format).toBe("webp");
    });

    test("the same task and attempt started twice is one run; the next attempt is another", async () => {
      const request = fresh(candidate.image);
      const handle = await executor.start(request);
      expect(await executor.start(request)).toEqual(handle);
      await follow(executor, handle);
      expect(await executor.start(request)).toEqual(handle);
      const second = await executor.start({ ...request, attempt: request.attempt + 1 });
      expect(second).not.toEqual(handle);
      expect((await follow(executor, second)).at(-1)).toMatchObject({ state: "succeeded" });
    });

    test("says busy when every slot is taken, and takes the next run when a slot is free", async () => {
      const handles: RunHandle[] = [];
      for (let slot = 0; slot < executor.slots().image; slot += 1)
        handles.push(await executor.start(fresh(candidate.long)));
      const refused = await executor.start(fresh(candidate.image)).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(StartFailed);
      expect(refused).toMatchObject({ reason: "busy" });
      for (const handle of handles) await executor.cancel(handle);
      const handle = await executor.start(fresh(candidate.image));
      expect((await follow(executor, handle)).at(-1)).toMatchObject({ state: "succeeded" });
    });

    test("a cancelled run ends without a result, its watchers hear it, and cancelling again is no error", async () => {
      const handle = await executor.start(fresh(candidate.long));
      const watching = follow(executor, handle);
      await sleep(100);
      await executor.cancel(handle);
      expect((await watching).at(-1)).toMatchObject({ state: "failed" });
      await expect(executor.result(handle)).rejects.toThrow();
      await executor.cancel(handle);
      await executor.release(handle);
    });

    test("an unknown handle is unknown: nothing to see, nothing to fetch, no error to stop", async () => {
      const handle = await executor.start(fresh(candidate.image));
      await follow(executor, handle);
      await executor.release(handle);
      await executor.release(handle);
      expect(await follow(executor, handle)).toMatchObject([{ state: "unknown" }]);
      expect(await executor.preview(handle)).toBeNull();
      await expect(executor.result(handle)).rejects.toThrow();
      await executor.cancel(handle);
    });

    test("a handle is plain JSON", async () => {
      const handle = await executor.start(fresh(candidate.image));
      const restored = JSON.parse(JSON.stringify(handle)) as RunHandle;
      expect(restored).toEqual(handle);
      expect((await follow(executor, restored)).at(-1)).toMatchObject({ state: "succeeded" });
    });

    test("several may watch, early or late, and each sees the end; a watcher may leave quietly", async () => {
      const handle = await executor.start(fresh(candidate.image));
      const leaving = new AbortController();
      const left: RunUpdate[] = [];
      const leaver = (async () => {
        for await (const update of executor.watch(handle, leaving.signal)) {
          left.push(update);
          leaving.abort();
        }
      })();
      const ends = await Promise.all([follow(executor, handle), follow(executor, handle)]);
      await leaver;
      const late = await follow(executor, handle);
      for (const updates of [...ends, late]) expect(updates.at(-1)).toMatchObject({ state: "succeeded" });
      expect(left).toHaveLength(1);
    });

    test("a run past its deadline fails as timed_out and frees its slot", async () => {
      const handle = await executor.start(fresh(candidate.long, { deadlineMs: 200 }));
      expect((await follow(executor, handle)).at(-1)).toMatchObject({ state: "failed", error: { code: "timed_out" } });
      const next = await executor.start(fresh(candidate.image));
      expect((await follow(executor, next)).at(-1)).toMatchObject({ state: "succeeded" });
    });

    test("the same request and seed give the same bytes", async () => {
      const hashes: string[] = [];
      for (let time = 0; time < 2; time += 1) {
        const handle = await executor.start(fresh(candidate.image));
        await follow(executor, handle);
        hashes.push((await executor.result(handle)).sha256);
        await executor.release(handle);
      }
      expect(hashes[0]).toBe(hashes[1]);
    });
  });
}

/** A request as dispatch would make it. */
export function runRequest(overrides: Partial<RunRequest> & { parameters?: Record<string, unknown> } = {}): RunRequest {
  return {
    taskId: "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11",
    attempt: 1,
    model: "flux",
    type: "image",
    mode: "txt2img",
    prompt: "a large red boat at sea at sunset",
    negativePrompt: "",
    seed: 5,
    deadlineMs: 120_000,
    references: [],
    recipe: { prompt: "a large red boat at sea at sunset", seed: 5 },
    ...overrides,
    parameters: {
      width: 512,
      height: 512,
      steps: 4,
      guidance_scale: 3.5,
      output_format: "png",
      ...overrides.parameters,
    },
  };
}

/** A clip of 512×512 with 49 frames at 16 fps. */
export function clipRequest(
  overrides: Partial<RunRequest> & { parameters?: Record<string, unknown> } = {},
): RunRequest {
  const parameters = { num_frames: 49, fps: 16, guidance_scale: 1, output_format: "mp4", ...overrides.parameters };
  return runRequest({ model: "anisora", type: "video", mode: "t2v", ...overrides, parameters });
}
