// What the engine's process takes at most, over the jobs that draw most.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { EngineHost } from "../host/host.ts";
import type { EngineDone, EngineJob } from "../job/job.ts";

const LARGEST_MEGABYTES = 800;

test("a clip through sixteen keyframes and one of 1280 × 1280 stay within 800 MB", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "safelight-memory-"));
  const host = new EngineHost({ encoder: "wasm" });
  try {
    const still = await finish(host, job(path.join(folder, "still.png"), {}));
    const references = Array.from({ length: 16 }, (_, place) => ({
      role: "keyframe" as const,
      path: still.path,
      frameIndex: place * 10,
      strength: place % 4 === 0 ? 0.5 : 1,
    }));
    const clip = { frames: 161, fps: 16, steps: 8 };
    await finish(host, job(path.join(folder, "a.mp4"), { ...clip, mode: "arbitrary_frame", references }));
    await finish(host, job(path.join(folder, "b.mp4"), { ...clip, mode: "t2v", width: 1280, height: 1280 }));
    const status = await readFile(`/proc/${host.pid}/status`, "utf8");
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    expect(Number(kilobytes) / 1000).toBeGreaterThan(50);
    expect(Number(kilobytes) / 1000).toBeLessThan(LARGEST_MEGABYTES);
  } finally {
    await host.close();
    await rm(folder, { recursive: true });
  }
});

function job(file: string, change: Partial<EngineJob>): EngineJob {
  return {
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
    recipe: {},
    output: { path: file, format: file.endsWith(".mp4") ? "mp4" : "png" },
    ...change,
  };
}

async function finish(host: EngineHost, work: EngineJob): Promise<EngineDone> {
  for await (const event of host.run(work, { signal: AbortSignal.timeout(600_000) })) {
    if (event.type === "done") return event;
  }
  throw new Error("the engine ended without a result");
}
