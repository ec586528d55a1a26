// A worker on a port of its own whose runs follow a script: quick, with real pictures and clips, and everything else of the
// worker real.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunRequest } from "../executors/executor.ts";
import { type Script, ScriptedExecutor, ScriptedMachine, type ScriptStep } from "../executors/scripted.ts";
import { silentLog } from "../log.ts";
import { type RunningWorker, startWorker, type WorkerSettings } from "../worker-host/start-worker.ts";

export interface ScriptedWorker {
  readonly url: string;
  readonly key: string;
  readonly folder: string;
  readonly machine: ScriptedMachine;
  /** Ends it; `restart` brings it back. */
  stop(): Promise<void>;
  /** Ends it and starts it again on the same folder and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface ScriptedWorkerOptions {
  readonly script?: Script;
  readonly slots?: number;
  readonly models?: readonly string[];
  readonly keepHours?: number;
}

export async function startScriptedWorker(options: ScriptedWorkerOptions = {}): Promise<ScriptedWorker> {
  const folder = await mkdtemp(join(tmpdir(), "safelight-worker-"));
  const machine = new ScriptedMachine(options.script ?? drawSteps);
  let worker = await open(folder, 0, machine, options);
  const port = Number(new URL(worker.url).port);
  return {
    url: worker.url,
    key: worker.key,
    folder,
    machine,
    stop: async () => {
      await worker.close();
      machine.forget();
    },
    restart: async () => {
      await worker.close();
      machine.forget();
      worker = await open(folder, port, machine, options);
    },
    close: async () => {
      await worker.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The same over a folder of the caller's, until it is closed; for a process of its own. */
export function runScriptedWorker(
  folder: string,
  port: number,
  options: Pick<ScriptedWorkerOptions, "script" | "slots" | "models"> = {},
): Promise<RunningWorker> {
  return open(folder, port, new ScriptedMachine(options.script ?? drawSteps), options);
}

function open(
  folder: string,
  port: number,
  machine: ScriptedMachine,
  { slots = 1, models, keepHours = 24 }: ScriptedWorkerOptions,
): Promise<RunningWorker> {
  const settings: WorkerSettings = {
    host: "127.0.0.1",
    port,
    dataDirectory: folder,
    keyFile: null,
    slots,
    name: "scripted",
    models: models ?? null,
    keepHours,
  };
  const executors = [new ScriptedExecutor({ machine, slots: { image: slots, video: slots, total: slots } })];
  return startWorker(settings, { log: silentLog(), executors });
}

/** Draws for as long as a request is large: a small one takes milliseconds, the largest some seconds. */
export function drawSteps(request: RunRequest): readonly ScriptStep[] {
  const { width, height, steps: wanted, num_frames: frames } = request.parameters;
  const steps = Math.min(Number(wanted ?? 4), 50);
  const size = (Number(width) * Number(height)) / (512 * 512);
  const milliseconds = 2 * size ** 2 * (Number(frames ?? 49) / 49);
  return Array.from({ length: steps }, (_, index) => index + 1).flatMap((step): ScriptStep[] => [
    { do: "report", update: { stage: "denoise", step, steps, progress: Math.floor((step / steps) * 95) } },
    ...(step % 4 === 1 ? [{ do: "preview" } as const] : []),
    { do: "wait", until: () => sleep(milliseconds) },
  ]);
}
