import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ScriptedExecutor } from "../executors/scripted.ts";
import { silentLog } from "../log.ts";
import { type RunningWorker, startWorker, type WorkerSettings } from "./start-worker.ts";

const folders: string[] = [];
const running: RunningWorker[] = [];

afterAll(async () => {
  for (const worker of running) await worker.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function start(overrides: Partial<WorkerSettings> = {}): Promise<RunningWorker> {
  const folder = await mkdtemp(join(tmpdir(), "safelight-worker-"));
  folders.push(folder);
  const settings: WorkerSettings = {
    host: "127.0.0.1",
    port: 0,
    dataDirectory: folder,
    keyFile: null,
    slots: 1,
    name: "test",
    models: null,
    keepHours: 1,
    ...overrides,
  };
  const worker = await startWorker(settings, { log: silentLog(), executors: [new ScriptedExecutor()] });
  running.push(worker);
  return worker;
}

async function keyFile(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "safelight-worker-key-"));
  folders.push(folder);
  await writeFile(join(folder, "key"), content);
  return join(folder, "key");
}

describe("starting a worker", () => {
  test("makes a key of its own that nobody guesses, and keeps it", async () => {
    const first = await start();
    const folder = folders.at(-1) ?? "";
    await first.close();
    const second = await start({ dataDirectory: folder });
    expect(first.key).toMatch(/^slworker_[\w-]{43}$/);
    expect(second.key).toBe(first.key);
  });

  test("takes the key of a file, without the line's end", async () => {
    const worker = await start({ keyFile: await keyFile("a-key-with-enough-letters\n") });
    expect(worker.key).toBe("a-key-with-enough-letters");
  });

  test("FR-016: takes a former key as well, while it is being replaced, each on a line of its own", async () => {
    const [next, former] = ["the-new-key-of-this-worker", "the-key-of-this-worker-before"];
    const worker = await start({ keyFile: await keyFile(`${next}\n${former}\n`) });
    const ask = async (key: string) => {
      const headers = { authorization: `Bearer ${key}`, "safelight-protocol": "1" };
      return (await fetch(`${worker.url}/health`, { headers })).status;
    };
    expect(worker.key).toBe(next);
    expect(
      await Promise.all([next, former, `${next}\n${former}`.replace("\n", ""), "another-key-of-nobody"].map(ask)),
    ).toEqual([200, 200, 401, 401]);
  });

  test.each([
    ["a former key that is too short", "the-new-key-of-this-worker\nshort"],
    ["an empty key", ""],
    ["a short key", "short"],
    ["a key with spaces", "a key that has spaces in it"],
  ])("refuses %s", async (_name, content) => {
    await expect(start({ keyFile: await keyFile(content) })).rejects.toThrow(/^--key-file:/);
  });

  test("says what is wrong: no key file, an unknown model, a taken port, a folder in use", async () => {
    await expect(start({ keyFile: "/nowhere/key" })).rejects.toThrow("cannot be read (ENOENT)");
    await expect(start({ models: ["flux", "fluxx"] })).rejects.toThrow("--models: fluxx is none of");
    const worker = await start();
    const folder = folders.at(-1) ?? "";
    await expect(start({ port: Number(new URL(worker.url).port) })).rejects.toThrow(/^--port: .* taken/);
    await expect(start({ dataDirectory: folder })).rejects.toThrow();
  });
});
