import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { crc32, deflateSync } from "node:zlib";
import type { Mode, ModelId } from "@safelight/catalog";
import {
  type Executor,
  type Offer,
  ResultLost,
  type RunErrorCode,
  type RunHandle,
  type RunRequest,
  type RunResult,
  type RunUpdate,
  StartFailed,
} from "./executor.ts";
import { RunBoard, UNKNOWN_UPDATE } from "./run-board.ts";

/** What a scripted run does, one step after the other; it succeeds when the steps are over. */
export type ScriptStep =
  | { do: "report"; update: Partial<Omit<RunUpdate, "state">> }
  | { do: "preview" }
  /** A function is called when its turn comes. */
  | { do: "wait"; until: Promise<unknown> | (() => Promise<unknown>) }
  | { do: "fail"; code: RunErrorCode; detail: string }
  | { do: "hang" }
  /** Deliver something else than is said, or than was asked for. */
  | { do: "lie"; about: "sha256" | "bytes" | "content" | "size" | "frames" | "type" | "stream" };

export type Script = (request: RunRequest) => readonly ScriptStep[];

interface ScriptedRun {
  readonly request: RunRequest;
  readonly board: RunBoard;
  readonly stop: AbortController;
  readonly lies: Set<string>;
  preview: Uint8Array | null;
}

/**
 * Where scripted runs take place. It outlives the executors that speak to it, as a GPU worker outlives this server;
 * `forget` is its own restart.
 */
export class ScriptedMachine {
  readonly runs = new Map<string, ScriptedRun>();
  /** Every run that was begun, in order. */
  readonly started: RunRequest[] = [];
  /** Thrown by the next starts, one each. */
  readonly startFailures: StartFailed[] = [];
  script: Script;

  constructor(script: Script = () => [{ do: "preview" }]) {
    this.script = script;
  }

  forget(): void {
    for (const run of this.runs.values()) run.stop.abort();
    this.runs.clear();
  }

  running(): ScriptedRun[] {
    return [...this.runs.values()].filter((run) => run.board.update.state === "running");
  }
}

export interface ScriptedOptions {
  machine?: ScriptedMachine;
  name?: string;
  slots?: { image: number; video: number; total: number };
  survivesRestart?: boolean;
  offer?: (model: ModelId, mode: Mode) => Offer;
}

/**
 * An executor that does what it is told and delivers real, if plain, pictures and clips: for tests of everything around
 * an executor. It stands under the same conformance suite as the others. Clips are 512×512 (or 528×512, where that is asked
 * for) with 49 frames at 16 fps, and carry the seed.
 */
export class ScriptedExecutor implements Executor {
  readonly name: string;
  readonly engine = "scripted";
  readonly survivesRestart: boolean;
  readonly machine: ScriptedMachine;
  readonly #options: ScriptedOptions;

  constructor(options: ScriptedOptions = {}) {
    this.#options = options;
    this.name = options.name ?? "scripted";
    this.machine = options.machine ?? new ScriptedMachine();
    this.survivesRestart = options.survivesRestart ?? false;
  }

  slots(): { image: number; video: number; total: number } {
    return this.#options.slots ?? { image: 1, video: 1, total: 1 };
  }

  offer(model: ModelId, mode: Mode): Offer {
    return this.#options.offer?.(model, mode) ?? { able: true };
  }

  async start(request: RunRequest): Promise<RunHandle> {
    const key = `${request.taskId}-${request.attempt}`;
    if (this.machine.runs.has(key)) return { key };
    const failure = this.machine.startFailures.shift();
    if (failure !== undefined) throw failure;
    const running = this.machine.running();
    const sameType = running.filter((run) => run.request.type === request.type).length;
    if (running.length >= this.slots().total || sameType >= this.slots()[request.type]) {
      throw new StartFailed("busy", "Every slot is taken.");
    }
    const run: ScriptedRun = {
      request,
      board: new RunBoard(),
      stop: new AbortController(),
      lies: new Set(),
      preview: null,
    };
    this.machine.runs.set(key, run);
    this.machine.started.push(request);
    void perform(run, this.machine.script(request));
    return { key };
  }

  async *watch(handle: RunHandle, signal: AbortSignal): AsyncGenerator<RunUpdate, void, undefined> {
    const run = this.#find(handle);
    if (run === undefined) yield UNKNOWN_UPDATE;
    else yield* run.board.watch(signal);
  }

  async preview(handle: RunHandle): Promise<{ contentType: string; bytes: Uint8Array } | null> {
    const bytes = this.#find(handle)?.preview;
    return bytes === null || bytes === undefined ? null : { contentType: "image/webp", bytes };
  }

  async result(handle: RunHandle): Promise<RunResult> {
    const run = this.#find(handle);
    if (run?.board.update.state !== "succeeded") throw new ResultLost("There is no result of this run.");
    return resultOf(run);
  }

  async cancel(handle: RunHandle): Promise<void> {
    const run = this.#find(handle);
    run?.stop.abort();
    run?.board.post({ state: "failed", error: { code: "worker_lost", detail: "The run was stopped." } });
  }

  async release(handle: RunHandle): Promise<void> {
    await this.cancel(handle);
    this.machine.runs.delete(String(handle.key));
  }

  async close(): Promise<void> {
    if (!this.survivesRestart) this.machine.forget();
  }

  #find(handle: RunHandle): ScriptedRun | undefined {
    return this.machine.runs.get(String(handle.key));
  }
}

async function perform(run: ScriptedRun, steps: readonly ScriptStep[]): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    run.stop.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const deadline = setTimeout(() => {
    run.board.post({ state: "failed", error: { code: "timed_out", detail: "The run did not finish in time." } });
    run.stop.abort();
  }, run.request.deadlineMs);
  try {
    for (const step of steps) {
      if (run.stop.signal.aborted) return;
      await takeStep(run, step, stopped);
    }
    run.board.post({ state: "succeeded", progress: 100 });
  } finally {
    clearTimeout(deadline);
  }
}

async function takeStep(run: ScriptedRun, step: ScriptStep, stopped: Promise<void>): Promise<void> {
  switch (step.do) {
    case "report":
      return run.board.post(step.update);
    case "preview":
      run.preview = PREVIEW;
      return run.board.post({ previewVersion: run.board.update.previewVersion + 1 });
    case "wait":
      await Promise.race([typeof step.until === "function" ? step.until() : step.until, stopped]);
      return;
    case "hang":
      return stopped;
    case "fail":
      return run.board.post({ state: "failed", error: { code: step.code, detail: step.detail } });
    case "lie":
      run.lies.add(step.about);
  }
}

function resultOf(run: ScriptedRun): RunResult {
  const { request, lies } = run;
  const facts = deliver(request, lies);
  const { bytes } = facts;
  const content = lies.has("content") ? Buffer.from(bytes.subarray(0, bytes.byteLength / 2)) : bytes;
  const broken = lies.has("stream");
  return {
    ...facts,
    contentType: lies.has("type") ? "text/html" : facts.contentType,
    frames: facts.frames + (lies.has("frames") ? 1 : 0),
    bytes: content.byteLength + (lies.has("bytes") ? 1 : 0),
    sha256: lies.has("sha256") ? "0".repeat(64) : createHash("sha256").update(content).digest("hex"),
    stream: broken ? Readable.from(breakOff(content)) : Readable.from([content]),
    engine: "scripted",
    engineVersion: "1",
    completedPrompt: null,
  };
}

async function* breakOff(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content.subarray(0, 10);
  throw new Error("the connection was lost");
}

function deliver(request: RunRequest, lies: ReadonlySet<string>) {
  if (request.type === "video") {
    const width = request.parameters.width === 528 ? 528 : 512;
    const bytes = Buffer.concat([clip(width), seedBox(request.seed)]);
    return { contentType: "video/mp4", bytes, width, height: 512, frames: 49, fps: 16 };
  }
  const width = Number(request.parameters.width) + (lies.has("size") ? 16 : 0);
  const height = Number(request.parameters.height);
  return { contentType: "image/png", bytes: plainPng(width, height, request.seed), width, height, frames: 1, fps: 0 };
}

const clips = new Map<number, Buffer>();

function clip(width: 512 | 528): Buffer {
  const known = clips.get(width);
  if (known !== undefined) return known;
  const bytes = readFileSync(new URL(`./fixtures/clip-${width}x512-49-frames.mp4`, import.meta.url));
  clips.set(width, bytes);
  return bytes;
}

/** A box that players pass over: another seed makes other bytes, as it does with a real engine. */
function seedBox(seed: number): Buffer {
  const box = Buffer.alloc(12);
  box.writeUInt32BE(12, 0);
  box.write("free", 4, "latin1");
  box.writeUInt32BE(seed, 8);
  return box;
}

// A grey WebP of 32×32.
const PREVIEW = Buffer.from(
  "UklGRjIAAABXRUJQVlA4ICYAAADwAgCdASogACAAP3G412I0ryymKAgCkC4JaQAASMGIAAAAAAAAAA==",
  "base64",
);

/** A PNG in one colour, drawn from the seed. */
export function plainPng(width: number, height: number, seed: number): Buffer {
  const row = Buffer.alloc(1 + width * 3);
  for (let pixel = 0; pixel < width; pixel += 1) row.writeUIntBE(seed & 0xffffff, 1 + pixel * 3, 3);
  const pixels = Buffer.alloc(row.byteLength * height);
  for (let line = 0; line < height; line += 1) row.copy(pixels, line * row.byteLength);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits a channel, red, green and blue.
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  const data = deflateSync(pixels, { level: 1 });
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const framed = Buffer.alloc(body.byteLength + 8);
  framed.writeUInt32BE(data.byteLength, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.byteLength + 4);
  return framed;
}
