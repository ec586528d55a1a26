// The Python worker with tiny weights behind a gateway: a task of each family ends done, drawn by the worker, with a file of
// what was asked for and its recipe in it (FR-006, FR-011).
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Gateway } from "./src/gateway.ts";
import { temporaryDirectory } from "./src/server-process.ts";

const repository = resolve(import.meta.dirname, "..");
const [gatewayFolder, workerFolder] = [await temporaryDirectory(), await temporaryDirectory()];
let worker: ChildProcess;
let gateway: Gateway;

beforeAll(async () => {
  const command = ["-m", "safelight_worker", "serve", "--tiny", "--port", "0", "--threads", "1"];
  worker = spawn(join(repository, ".venv-worker/bin/python"), [...command, "--data", workerFolder.path], {
    cwd: join(repository, "worker"),
    env: { PATH: process.env["PATH"] ?? "", HOME: workerFolder.path },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const url = await listeningAt(worker);
  const key = (await readFile(join(workerFolder.path, "worker-key"), "utf8")).trim();
  gateway = await Gateway.start(gatewayFolder.path);
  await gateway.logIn();
  while (!(await isReady(url, key))) await sleep(100);
  await gateway.addWorker("tiny-gpu", { url, key }, 1);
}, 120_000);

afterAll(async () => {
  await gateway?.server.stop("SIGKILL");
  if (worker?.exitCode === null) {
    worker.kill("SIGTERM");
    await once(worker, "exit");
  }
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

async function listeningAt(child: ChildProcess): Promise<string> {
  let printed = "";
  for await (const chunk of child.stdout ?? []) {
    printed += String(chunk);
    const url = /listens on (\S+)\n/.exec(printed)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the worker ended before it listened: ${printed}`);
}

async function isReady(url: string, key: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${key}`, "safelight-protocol": "1" };
  const answer = await fetch(`${url}/health`, { headers });
  return ((await answer.json()) as { ready: boolean }).ready;
}
