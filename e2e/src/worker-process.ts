// A real `safelight worker` in a process of its own, on a free port, over a folder of the test's own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

const repository = resolve(import.meta.dirname, "../..");

export interface WorkerProcess {
  readonly url: string;
  readonly key: string;
  /** A shell command that kills the worker with SIGKILL and ends when it has been started again. */
  restartCommand(): Promise<string>;
  /** SIGSTOP, SIGCONT; SIGKILL ends it, and it stays ended. */
  signal(signal: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

/** What draws: the embedded engine, or a script that takes milliseconds and leaves the processors to the test. */
export type Drawing = "engine" | "script";

/** Starts a worker and waits until it says where it listens. Throws with its output when it ends first. */
export async function startWorkerProcess(
  folder: string,
  extra: readonly string[] = [],
  drawing: Drawing = "engine",
): Promise<WorkerProcess> {
  const begin = (port: string) => start(folder, port, extra, drawing);
  // One that is started again has to find its port free.
  let running = await begin(String(await freePort()));
  const url = running.url;
  const key = (await readFile(join(folder, "secrets/worker-key"), "utf8")).trim();
  const trigger = createServer((_request, response) => {
    void (async () => {
      await end(running.child, "SIGKILL");
      running = await begin(new URL(url).port);
      response.end();
    })().catch(() => response.destroy());
  });
  return {
    url,
    key,
    restartCommand: async () => {
      await new Promise<void>((listening) => trigger.listen(0, "127.0.0.1", listening));
      const address = `http://127.0.0.1:${(trigger.address() as AddressInfo).port}`;
      return `"${process.execPath}" -e "fetch('${address}')"`;
    },
    signal: async (signal) => {
      if (signal === "SIGKILL") await end(running.child, signal);
      else running.child.kill(signal);
    },
    stop: async () => {
      trigger.close();
      await end(running.child, "SIGTERM");
    },
  };
}

async function start(
  folder: string,
  port: string,
  extra: readonly string[],
  drawing: Drawing,
): Promise<{ child: ChildProcess; url: string }> {
  const entry = drawing === "engine" ? ["cli/src/main.ts", "worker"] : ["e2e/src/scripted-worker-process.ts"];
  const command = [...entry, "--port", port, "--data-dir", folder, ...extra];
  const child = spawn(process.execPath, command, {
    cwd: repository,
    env: { PATH: process.env["PATH"] ?? "", HOME: folder },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let printed = "";
  child.stderr.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
  const ends = Date.now() + 60_000;
  while (Date.now() < ends && child.exitCode === null && child.signalCode === null) {
    const url = /ready: (\S+)/.exec(printed)?.[1];
    if (url !== undefined) return { child, url };
    await sleep(20);
  }
  await end(child, "SIGKILL");
  throw new Error(`The worker did not start:\n${printed}`);
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}
