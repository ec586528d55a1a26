// Engine time against the sum of its raw ONNX runs: what sampler, preview, framing and encoding add on top of inference.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineDone, EngineHost, type EngineJob } from "@safelight/engine";
import { type Figure, median, milliseconds } from "./figures.ts";

const rounds = 7;

export async function benchEngine(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "safelight-bench-"));
  const host = new EngineHost();
  try {
    const jobs: [string, EngineJob][] = [
      ["engine, image 1024 × 1024, 30 steps", job(join(folder, "a.png"), {})],
      [
        "engine, clip 720 × 1280, 81 frames",
        job(join(folder, "a.mp4"), { mode: "t2v", steps: 8, width: 720, height: 1280, frames: 81, fps: 16 }),
      ],
    ];
    const figures: Figure[] = [];
    for (const [what, each] of jobs) {
      await run(host, each); // the first run loads and warms up
      const timings = [];
      for (let round = 0; round < rounds; round += 1) timings.push((await run(host, each)).timings);
      const onnx = median(timings.map((timing) => timing.onnx));
      const inference = median(timings.map((timing) => timing.total - timing.output));
      const total = median(timings.map((timing) => timing.total));
      figures.push({
        what,
        measured: milliseconds(inference),
        against: `${milliseconds(onnx)} raw ONNX runs`,
        ratio: onnx / inference,
        target: "≤ 1.05×",
        reached: inference <= onnx * 1.05,
        note: `with framing, encoding and writing the file ${milliseconds(total)} (${(total / onnx).toFixed(2)}×)`,
      });
    }
    return [...figures, ...(await benchWaits(host, folder))];
  } finally {
    await host.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** How long somebody waits for the model alone: inference, previews and framing, without the file's encoder. */
async function benchWaits(host: EngineHost, folder: string): Promise<Figure[]> {
  const size = { width: 512, height: 512 };
  const waits: [string, number, EngineJob][] = [
    ["engine, a picture, 16 steps", 500, job(join(folder, "b.png"), { ...size, steps: 16 })],
    // The key frame takes as many steps as its motion.
    [
      "engine, a clip of 16 drawings, 8 steps",
      2000,
      job(join(folder, "b.mp4"), { ...size, mode: "t2v", steps: 8, frames: 49 }),
    ],
  ];
  const figures: Figure[] = [];
  for (const [what, limit, each] of waits) {
    await run(host, each);
    const timings = [];
    for (let round = 0; round < rounds; round += 1) timings.push((await run(host, each)).timings);
    const waited = median(timings.map((timing) => timing.total - timing.output));
    figures.push({
      what,
      measured: milliseconds(waited),
      against: "–",
      ratio: null,
      target: `≤ ${milliseconds(limit)}`,
      reached: waited <= limit,
    });
  }
  return figures;
}

function job(path: string, changes: Partial<EngineJob>): EngineJob {
  return {
    mode: "txt2img",
    prompt: "a large red boat on the left at sea at sunset",
    negativePrompt: "",
    seed: 1,
    steps: 30,
    guidance: 3,
    strength: 1,
    width: 1024,
    height: 1024,
    frames: 1,
    fps: 16,
    references: [],
    output: { path, format: path.endsWith(".mp4") ? "mp4" : "png" },
    recipe: {},
    ...changes,
  };
}

async function run(host: EngineHost, each: EngineJob): Promise<EngineDone> {
  for await (const event of host.run(each, { signal: new AbortController().signal })) {
    if (event.type === "done") return event;
  }
  throw new Error("the engine ended without a result");
}
