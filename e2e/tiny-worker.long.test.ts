// The Python worker with tiny weights behind a gateway: a task of each family ends done, drawn by the worker, with a file of
// what was asked for and its recipe in it (FR-006, FR-011).
import { judgeWorker } from "@safelight/conformance";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Gateway } from "./src/gateway.ts";
import { temporaryDirectory } from "./src/server-process.ts";
import { startTinyWorker, type TinyWorker } from "./src/tiny-worker.ts";

const long = process.env["SAFELIGHT_TEST_LONG"] === "1";
const [gatewayFolder, workerFolder] = [await temporaryDirectory(), await temporaryDirectory()];
let worker: TinyWorker;
let gateway: Gateway;

beforeAll(async () => {
  worker = await startTinyWorker(workerFolder.path);
  gateway = await Gateway.start(gatewayFolder.path);
  await gateway.logIn();
  await gateway.addWorker("tiny-gpu", worker, 1);
}, 120_000);

afterAll(async () => {
  await gateway?.server.stop("SIGKILL");
  await worker?.stop();
  await gatewayFolder.remove();
  await workerFolder.remove();
});

const picture = await sharp({ create: { width: 96, height: 64, channels: 3, background: "#c8281e" } })
  .png()
  .toBuffer();
const reference = `data:image/png;base64,${picture.toString("base64")}`;
const size = { width: 528, height: 512 };
const requests: readonly [name: string, body: Record<string, unknown>][] = [
  ["pony", { model: "pony", mode: "txt2img", prompt: "a red boat, день", steps: 20, ...size }],
  ["flux", { model: "flux", mode: "img2img", prompt: "a boat", steps: 15, reference_image: reference, ...size }],
  ["phr00t", { model: "phr00t", mode: "i2v", prompt: "a boat", num_frames: 49, reference_image: reference, ...size }],
  [
    "anisora",
    {
      model: "anisora",
      mode: "arbitrary_frame",
      prompt: "a boat",
      num_frames: 49,
      arbitrary_frames: [
        { frame_index: 0, image: reference },
        { frame_index: 48, image: reference },
      ],
      ...size,
    },
  ],
];

test.each(requests)(
  "%s draws on the worker and its result is in the gallery",
  async (name, body) => {
    const id = await gateway.submit(`tiny-${name}`, { ...body, seed: 7, workspace: "tiny-gpu" });
    expect(await gateway.ended(id)).toMatchObject({ status: "done", error: null });
    const bytes = Buffer.from(await gateway.result(id));
    expect(bytes.includes(`"prompt":${JSON.stringify(body["prompt"])}`)).toBe(true);
    expect(bytes.includes('"engine":"diffusers"')).toBe(true);
    if (name !== "pony" && name !== "flux") return;
    expect(await sharp(bytes).metadata()).toMatchObject({ ...size, format: "png" });
  },
  180_000,
);

// Everything, with the largest tasks of the catalog, every mode and a restart, takes minutes: that is for the long run.
const quick = [
  "health: who it is",
  "health: models and modes",
  "the key",
  "the protocol's version",
  "unknown addresses and methods",
  "media: kept under their hash",
  "media: another hash is refused",
  "media: size and type",
  "refusals: bodies that are no task",
  "refusals: requests that do not fit",
  "tasks: unknown ones",
  "control: every slot taken (image)",
  "run: flux txt2img",
  "run: anisora arbitrary_frame",
];

test(
  "the conformance kit finds no fault with it",
  async () => {
    // A gateway that asks how it is would be in the way of what is counted.
    await gateway.server.stop("SIGTERM");
    const { url, key, restartCommand } = worker;
    const options = long ? { restartCommand } : { only: quick };
    const { checks, verdict } = await judgeWorker({ url, key, ...options });
    expect(checks.filter(({ outcome }) => outcome === "failed")).toEqual([]);
    expect(verdict).toBe(long ? "conforms" : "partial");
  },
  long ? 30 * 60_000 : 180_000,
);
