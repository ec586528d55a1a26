import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { EngineEvent, EngineJob } from "../job/job.ts";
import { EngineHost, type EngineHostOptions } from "./host.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "safelight-host-"));
});
afterAll(() => rm(folder, { recursive: true }));

const hosts: EngineHost[] = [];
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

function newHost(options: EngineHostOptions = {}): EngineHost {
  const host = new EngineHost({ encoder: "wasm", ...options });
  hosts.push(host);
  return host;
}

let files = 0;
function job(change: Partial<EngineJob> = {}): EngineJob {
  return {
    mode: "txt2img",
    prompt: "a large red boat on the left at sea",
    negativePrompt: "",
    seed: 3,
    steps: 3,
    guidance: 3,
    strength: 1,
    width: 512,
    height: 512,
    frames: 1,
    fps: 1,
    references: [],
    output: { path: path.join(folder, `${files++}.png`), format: "png" },
    recipe: {},
    ...change,
  };
}
const long = () => job({ steps: 5000 });

async function finish(host: EngineHost, work: EngineJob, signal = AbortSignal.timeout(50_000)): Promise<EngineEvent[]> {
  const events: EngineEvent[] = [];
  for await (const event of host.run(work, { signal })) events.push(event);
  return events;
}

/** Runs until the first preview has come, then does something to the host. */
async function meddle(host: EngineHost, signal: AbortSignal, act: () => void): Promise<unknown> {
  try {
    for await (const event of host.run(long(), { signal })) if (event.type === "preview") act();
    return null;
  } catch (error) {
    return error;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 2_000; attempt++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await sleep(20);
  }
  return false;
}

test("importing the engine loads neither onnxruntime nor sharp", async () => {
  const script = `
    const engine = await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)});
    new engine.EngineHost(); engine.knownVocabulary(); await engine.canEncode("mp4");
    const loaded = process.report.getReport().sharedObjects.filter((name) => /onnx|vips|sharp/.test(name));
    console.log(JSON.stringify({ loaded, megabytes: process.memoryUsage().rss / 1e6 }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  const { loaded, megabytes } = JSON.parse(stdout);
  expect(loaded).toEqual([]);
  expect(megabytes).toBeLessThan(120);
});

test("the child starts when it is needed and serves job after job", async () => {
  const host = newHost();
  expect(host.pid).toBeNull();
  const first = await finish(host, job());
  expect(first[0]).toMatchObject({ type: "progress", stage: "load", progress: 0 });
  const { pid } = host;
  expect(pid).not.toBeNull();
  const second = await finish(host, job());
  expect(host.pid).toBe(pid);
  expect(second.at(-1)).toMatchObject({ type: "done", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(second.some((event) => event.type === "progress" && event.stage === "load")).toBe(false);
});

test("two children give byte-identical pictures and films", async () => {
  const clip = { mode: "t2v", frames: 49, fps: 16, steps: 4, guidance: 2 } as const;
  const results: Buffer[][] = [];
  for (const number of [1, 2]) {
    const host = newHost();
    const still = job({ steps: 10, recipe: { seed: 3 } });
    const film = job({ ...clip, output: { path: path.join(folder, `same-${number}.mp4`), format: "mp4" } });
    for (const work of [still, film]) await finish(host, work);
    results.push(await Promise.all([still, film].map((work) => readFile(work.output.path))));
    await host.close();
  }
  for (const file of [0, 1]) {
    expect(results[0]?.[file]?.length).toBeGreaterThan(500);
    expect(Buffer.compare(results[0]?.[file] ?? Buffer.of(1), results[1]?.[file] ?? Buffer.of(2))).toBe(0);
  }
});

test("cancelling frees the slot at once, ends the child, and the next job works", async () => {
  const host = newHost();
  await host.warm();
  const { pid } = host;
  const controller = new AbortController();
  const error = await meddle(host, controller.signal, () => controller.abort("enough"));
  expect(error).toMatchObject({ name: "AbortError" });
  expect(host.busy).toBe(false);
  const events = await finish(host, job());
  expect(events.at(-1)?.type).toBe("done");
  expect(host.pid).not.toBe(pid);
  expect(await gone(pid ?? 0)).toBe(true);
});

test("a signal that is aborted already starts nothing", async () => {
  const host = newHost();
  await expect(finish(host, job(), AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  expect([host.pid, host.busy]).toEqual([null, false]);
});

test("leaving the loop early ends the run", async () => {
  const host = newHost();
  await host.warm();
  const { pid } = host;
  for await (const event of host.run(long(), { signal: new AbortController().signal }))
    if (event.type === "preview") break;
  expect(host.busy).toBe(false);
  expect(await gone(pid ?? 0)).toBe(true);
  expect((await finish(host, job())).at(-1)?.type).toBe("done");
});

test("a child killed in the middle of a run is a crash, and is replaced", async () => {
  const host = newHost();
  await host.warm();
  const { pid } = host;
  const error = await meddle(host, new AbortController().signal, () => process.kill(pid ?? 0, "SIGKILL"));
  expect(error).toMatchObject({ name: "EngineCrashed", message: expect.stringContaining("SIGKILL") });
  expect(host.pid).not.toBeNull();
  expect(host.pid).not.toBe(pid);
  expect((await finish(host, job())).at(-1)?.type).toBe("done");
});

test("a child killed while idle, or while it loads, does no lasting harm", async () => {
  const host = newHost();
  await host.warm();
  const { pid } = host;
  process.kill(pid ?? 0, "SIGKILL");
  expect(await gone(pid ?? 0)).toBe(true);
  while (host.pid !== null) await sleep(5);
  expect((await finish(host, job())).at(-1)?.type).toBe("done");

  const loading = newHost();
  const running = finish(loading, job());
  process.kill(loading.pid ?? 0, "SIGKILL");
  await expect(running).rejects.toMatchObject({ name: "EngineCrashed" });
  expect((await finish(loading, job())).at(-1)?.type).toBe("done");
});

test("a child that hangs is contained by aborting", async () => {
  const host = newHost();
  await host.warm();
  const { pid } = host;
  process.kill(pid ?? 0, "SIGSTOP");
  const error = await finish(host, job(), AbortSignal.timeout(300)).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "AbortError" });
  expect(await gone(pid ?? 0)).toBe(true);
  expect((await finish(host, job())).at(-1)?.type).toBe("done");
});

test("one job at a time: a second is refused and the first goes on", async () => {
  const host = newHost();
  const first = finish(host, job({ steps: 6 }));
  await expect(finish(host, job())).rejects.toMatchObject({ name: "EngineBusy" });
  expect((await first).at(-1)?.type).toBe("done");
});

test("the slot is free as soon as the end is told", async () => {
  const host = newHost();
  for await (const event of host.run(job(), { signal: new AbortController().signal })) {
    if (event.type === "done") expect((await finish(host, job())).at(-1)?.type).toBe("done");
  }
  expect(host.busy).toBe(false);
});

test("a model that cannot be loaded fails the job and says so in the log only", async () => {
  const lines: string[] = [];
  const host = newHost({ modelFolder: path.join(folder, "no-model"), onLog: (_level, line) => lines.push(line) });
  await expect(finish(host, job())).rejects.toMatchObject({
    name: "EngineError",
    code: "engine_failed",
    message: expect.not.stringContaining(folder),
  });
  expect(lines.join()).toContain("no-model");
  await expect(host.warm()).rejects.toThrow();
});

test("closing ends a run and starts nothing more", async () => {
  const host = newHost();
  await host.warm();
  const { pid } = host;
  const error = await meddle(host, new AbortController().signal, () => void host.close());
  expect(error).toMatchObject({ name: "EngineCrashed" });
  expect(await gone(pid ?? 0)).toBe(true);
  expect(host.pid).toBeNull();
  await expect(host.warm()).rejects.toThrow("closed");
});

test("the child sees no secrets of its host", async () => {
  process.env.API_KEY = "only-for-the-host";
  try {
    const host = newHost();
    await host.warm();
    const environment = await readFile(`/proc/${host.pid}/environ`, "utf8");
    expect(environment).not.toContain("only-for-the-host");
    expect(environment).toContain("PATH=");
  } finally {
    delete process.env.API_KEY;
  }
});

test("the child ends when its host is killed, even at work", async () => {
  const script = `
    import { EngineHost } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
    const host = new EngineHost();
    const job = ${JSON.stringify(long())};
    for await (const event of host.run(job, { signal: new AbortController().signal }))
      if (event.type === "preview") console.log(host.pid);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await once(parent.stdout.setEncoding("utf8"), "data");
  const pid = Number.parseInt(String(output), 10);
  expect(pid).toBeGreaterThan(1);
  parent.kill("SIGKILL");
  expect(await gone(pid)).toBe(true);
});

test("an idle host does not keep its process alive", async () => {
  const script = `
    import { EngineHost } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
    const host = new EngineHost(); await host.warm(); console.log("warm", host.pid);`;
  const NODE_COMPILE_CACHE = path.join(folder, "cache");
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    timeout: 60_000,
    env: { ...process.env, NODE_COMPILE_CACHE },
  });
  const [, pid] = /^warm (\d+)$/m.exec(stdout) ?? [];
  expect(await gone(Number(pid))).toBe(true);
  // What Node made of the sources is kept for the next start, the host's and the child's, in one folder of Node's version.
  const [version = "", ...others] = await readdir(NODE_COMPILE_CACHE);
  expect(others).toEqual([]);
  expect((await readdir(path.join(NODE_COMPILE_CACHE, version))).length).toBeGreaterThan(100);
});
