import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineHost } from "@safelight/engine";
import sharp from "sharp";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { clipRequest, describeExecutor, runRequest } from "./conformance.ts";
import { EmbeddedExecutor } from "./embedded.ts";
import type { RunUpdate } from "./executor.ts";

// The engine's child loads its weights once for the whole suite; each test opens its own executor on it.
const host = new EngineHost();
const folders: string[] = [];

afterAll(async () => {
  await host.close();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

async function openExecutor(): Promise<{ executor: EmbeddedExecutor; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "safelight-embedded-"));
  folders.push(folder);
  // The shared host outlives the executors that borrow it.
  const borrowed = Object.assign(Object.create(host) as EngineHost, {
    run: host.run.bind(host),
    close: async () => {},
  });
  return {
    folder,
    executor: await EmbeddedExecutor.open({ workFolder: folder, offer: () => ({ able: true }), host: borrowed }),
  };
}

describeExecutor("embedded", async () => {
  const { executor } = await openExecutor();
  return {
    executor,
    image: runRequest(),
    video: clipRequest({ parameters: { steps: 2 } }),
    long: runRequest({ parameters: { width: 1280, height: 1280, steps: 50 } }),
    dispose: () => executor.close(),
  };
});

describe("the embedded executor", () => {
  const opened: EmbeddedExecutor[] = [];

  afterEach(async () => {
    for (const executor of opened.splice(0)) await executor.close();
  });

  async function open() {
    const { executor, folder } = await openExecutor();
    opened.push(executor);
    return { executor, folder };
  }

  async function last(executor: EmbeddedExecutor, handle: Awaited<ReturnType<EmbeddedExecutor["start"]>>) {
    let update: RunUpdate | undefined;
    for await (update of executor.watch(handle, new AbortController().signal));
    return update;
  }

  test("names the parameters that changed nothing and the words it did not know", async () => {
    const { executor } = await open();
    const parameters = { sampler: "flow-matching", clip_skip: 3 };
    const handle = await executor.start(runRequest({ prompt: "a red zeppelin boat", parameters }));
    const update = await last(executor, handle);
    expect(update?.warnings).toContainEqual(expect.objectContaining({ code: "no_effect", parameter: "sampler" }));
    expect(update?.warnings).toContainEqual(expect.objectContaining({ code: "no_effect", parameter: "clip_skip" }));
    expect(update?.warnings).toContainEqual(
      expect.objectContaining({ code: "unknown_words", words: expect.arrayContaining(["zeppelin"]) }),
    );
  });

  test.each([
    ["img2img", ["reference_image"]],
    ["i2v", ["reference_image"]],
    ["first_last_frame", ["first_frame_image", "last_frame_image"]],
    ["arbitrary_frame", ["arbitrary_frames", "arbitrary_frames"]],
  ] as const)("takes the pictures of mode %s under their names in the catalog", async (mode, names) => {
    const { executor, folder } = await open();
    const path = join(folder, "reference.png");
    await sharp({ create: { width: 300, height: 200, channels: 3, background: "#c82020" } })
      .png()
      .toFile(path);
    const references = names.map((parameter, position) => ({
      parameter,
      position,
      frameIndex: parameter === "arbitrary_frames" ? position * 48 : null,
      strength: 1,
      path,
    }));
    const overrides = { mode, references, parameters: { steps: 1 } };
    const handle = await executor.start(mode === "img2img" ? runRequest(overrides) : clipRequest(overrides));
    expect(await last(executor, handle)).toMatchObject({ state: "succeeded" });
  });

  test("throws away what an earlier start left, and its own files when a run is released", async () => {
    const { executor, folder } = await open();
    await writeFile(join(folder, "leftover.png"), "x");
    const again = await EmbeddedExecutor.open({ workFolder: folder, offer: () => ({ able: true }), host });
    expect(await readdir(folder)).toEqual([]);
    const handle = await executor.start(runRequest());
    await last(executor, handle);
    expect(await readdir(folder)).toHaveLength(1);
    await executor.release(handle);
    expect(await readdir(folder)).toEqual([]);
    expect(again.name).toBe("embedded");
  });

  test("an engine process that dies fails that run as lost, and the next run works", async () => {
    const { executor } = await open();
    const handle = await executor.start(runRequest({ parameters: { width: 1280, height: 1280, steps: 50 } }));
    const watching = last(executor, handle);
    while (host.pid === null) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.kill(host.pid, "SIGKILL");
    expect(await watching).toMatchObject({ state: "failed", error: { code: "worker_lost" } });
    const next = await executor.start(runRequest({ attempt: 2 }));
    expect(await last(executor, next)).toMatchObject({ state: "succeeded" });
  });

  test("a reference that cannot be read fails the request, not the engine", async () => {
    const { executor, folder } = await open();
    const path = join(folder, "broken.png");
    await writeFile(path, "no picture");
    const references = [{ parameter: "reference_image", position: 0, frameIndex: null, strength: 1, path }];
    const handle = await executor.start(
      runRequest({ mode: "img2img", references, parameters: { denoising_strength: 0.5 } }),
    );
    const update = await last(executor, handle);
    expect(update).toMatchObject({ state: "failed", error: { code: "engine_failed" } });
    expect(update?.error?.detail).not.toContain(folder);
  });
});
