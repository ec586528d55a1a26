// The Python worker with tiny random weights, in a process of its own, on a free port, over a folder of the test's own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const repository = resolve(import.meta.dirname, "../..");

export interface TinyWorker {
  readonly url: string;
  readonly key: string;
  /** A shell command that kills the worker with SIGKILL and ends when it has been started again. */
  readonly restartCommand: string;
  stop(): Promise<void>;
}

/** Starts the worker and waits until it has looked at its models. Throws with its output when it ends first. */
export async function startTinyWorker(folder: string): Promise<TinyWorker> {
  let child = start(folder, "0");
  const url = await listeningAt(child);
  const key = (await readFile(join(folder, "worker-key"), "utf8")).trim();
  const headers = { authorization: `Bearer ${key}`, "safelight-protocol": "1" };
  for (;;) {
    const health = (await (await fetch(`${url}/health`, { headers })).json()) as { ready: boolean };
    if (health.ready) break;
    await sleep(100);
  }
  const trigger = createServer((_request, response) => {
    void (async () => {
      await end(child, "SIGKILL");
      child = start(folder, new URL(url).port);
      await listeningAt(child);
      response.end();
    })().catch(() => response.destroy());
  });
  await new Promise<void>((listening) => trigger.listen(0, "127.0.0.1", listening));
  const address = `http://127.0.0.1:${(trigger.address() as AddressInfo).port}`;
  return {
    url,
    key,
    restartCommand: `"${process.execPath}" -e "fetch('${address}')"`,
    stop: async () => {
      trigger.close();
      await end(child, "SIGTERM");
    },
  };
}

function start(folder: string, port: string): ChildProcess {
  const command = ["-m", "safelight_worker", "serve", "--tiny", "--port", port, "--threads", "1", "--data", folder];
  return spawn(join(repository, ".venv-worker/bin/python"), command, {
    cwd: join(repository, "worker"),
    env: { PATH: process.env["PATH"] ?? "", HOME: folder },
    stdio: ["ignore", "pipe", "ignore"],
  });
}

async function listeningAt(child: ChildProcess): Promise<string> {
  let printed = "";
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    printed += String(chunk);
    const url = /listens on (\S+)\n/.exec(printed)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the worker ended before it listened: ${printed}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}
