import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckedRequest, checkRequest } from "@safelight/catalog";
import type { DestinationStream } from "pino";
import { readConfig } from "../config.ts";
import type { Clock } from "../context/clock.ts";
import { type Context, createContext } from "../context/context.ts";
import type { Database } from "../database/database.ts";
import type { Interrupt, WriteOperation } from "../database/sqlite/sqlite-connection.ts";
import { startEventFeed } from "../gateways/event-feed.ts";
import { createLog } from "../log.ts";
import { DiskMediaStore } from "../media/disk-media-store.ts";
import { diskFileSystem, type MediaFileSystem } from "../media/media-file-system.ts";
import { readTask } from "../tasks/read.ts";
import { submitTask } from "../tasks/submit.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { timeLimits } from "../tasks/time-limits.ts";
import { dropTestDatabase, openTestDatabase } from "./test-database.ts";

/** Time in a test's hands: the wall may be set to anything, the steady reading only moves on. */
export class ManualClock implements Clock {
  #wall = Date.UTC(2026, 2, 1, 12);
  #steady: number;

  constructor(steady = 1_000_000) {
    this.#steady = steady;
  }

  now(): number {
    return this.#wall;
  }

  steady(): number {
    return this.#steady;
  }

  advance(milliseconds: number): void {
    this.#wall += milliseconds;
    this.#steady += milliseconds;
  }

  /** The machine's clock is set to another time; no time passes. */
  setWall(milliseconds: number): void {
    this.#wall = milliseconds;
  }
}

/** Faults of the database, to order: the Nth operation of a kind fails, or all of them while `broken` is set. */
export class DatabaseFaults {
  broken = false;
  /** Operations seen so far. */
  seen = 0;
  #failAt = Number.POSITIVE_INFINITY;
  #kinds: ReadonlySet<WriteOperation> = new Set();

  readonly interrupt: Interrupt = (operation) => {
    if (this.broken) throw diskFull();
    if (!this.#kinds.has(operation)) return;
    this.seen += 1;
    if (this.seen === this.#failAt) throw diskFull();
  };

  failNth(nth: number, ...kinds: WriteOperation[]): void {
    this.seen = 0;
    this.#failAt = nth;
    this.#kinds = new Set(kinds);
  }

  /** True when the fault that was ordered has happened. */
  get happened(): boolean {
    return this.seen >= this.#failAt;
  }
}

function diskFull(): Error {
  return Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
}

export interface Core {
  readonly folder: string;
  readonly context: Context;
  readonly clock: ManualClock;
  readonly faults: DatabaseFaults;
  readonly logged: string[];
  /** From now on nothing is written any more, as if the process had died; `afterwards` lets that many writes through first. */
  die(afterwards?: number): void;
  /** Resolves when the last write that `die` let through has been made. */
  readonly dead: Promise<void>;
  /** What died is opened again by a new process on the same files. */
  reopen(): Promise<Core>;
  close(): Promise<void>;
}

export interface CoreOptions {
  environment?: Record<string, string>;
  mediaFiles?: MediaFileSystem;
  clock?: Clock;
}

/** The inner parts of a server on a real database and media folder of its own, without HTTP. */
export async function openCore(options: CoreOptions = {}): Promise<Core> {
  return openIn(await mkdtemp(join(tmpdir(), "safelight-core-")), options);
}

async function openIn(folder: string, options: CoreOptions, steady?: number): Promise<Core> {
  const config = readConfig({ DATA_DIR: folder, LOG_LEVEL: "debug", ...options.environment });
  const logged: string[] = [];
  const destination: DestinationStream = { write: (line) => void logged.push(line) };
  const log = createLog({ level: config.logLevel, destination });
  const faults = new DatabaseFaults();
  const clock = new ManualClock(steady);
  const { interrupt } = faults;
  const real = await openTestDatabase(folder, { log, clock, interrupt });
  const mortal = new MortalDatabase(real);
  const disk = new MortalDisk(options.mediaFiles ?? diskFileSystem);
  const media = await DiskMediaStore.open(join(folder, "media"), disk.files);
  const context = createContext({ database: mortal, log, config, media, clock: options.clock ?? clock });
  const stopFeed = await startEventFeed(context);
  return {
    folder,
    context,
    clock,
    faults,
    logged,
    die: (afterwards = 0) => mortal.die(afterwards),
    dead: mortal.dead,
    reopen: async () => {
      mortal.die(0);
      await disk.die();
      await stopFeed();
      await real.close();
      // On a shared database time goes on, and what died is known to be dead when its leases have run out.
      return openIn(folder, options, real.shared ? clock.steady() + timeLimits.lease + 1 : undefined);
    },
    close: async () => {
      await stopFeed();
      await real.close();
      await dropTestDatabase(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

class MortalDatabase implements Database {
  readonly #real: Database;
  #left = Number.POSITIVE_INFINITY;
  #sayDead = (): void => {};
  readonly dead: Promise<void>;
  readonly kind: Database["kind"];
  readonly dialect: Database["dialect"];
  readonly prepareRead: Database["prepareRead"];
  readonly read: Database["read"];
  readonly shared: Database["shared"];
  readonly clock: Database["clock"];
  readonly listen: Database["listen"];
  readonly lead: Database["lead"];
  readonly size: Database["size"];

  constructor(real: Database) {
    this.#real = real;
    this.kind = real.kind;
    this.dialect = real.dialect;
    this.shared = real.shared;
    this.clock = real.clock;
    this.listen = (channel, heard) => real.listen(channel, heard);
    this.lead = (hear) => real.lead(hear);
    this.size = () => real.size();
    this.prepareRead = real.prepareRead;
    this.read = (work) => real.read(work);
    this.dead = new Promise((resolve) => {
      this.#sayDead = resolve;
    });
  }

  die(afterwards: number): void {
    this.#left = Math.min(this.#left, afterwards);
    if (this.#left === 0) this.#sayDead();
  }

  // Neither the value nor the failure of the last write reaches anyone: the process died before it could hear.
  async write<T>(work: Parameters<Database["write"]>[0]): Promise<T> {
    if (this.#left <= 0) return new Promise<T>(() => {});
    this.#left -= 1;
    const last = this.#left === 0;
    const value = await this.#real.write(work);
    if (!last) return value as T;
    this.#sayDead();
    return new Promise<T>(() => {});
  }

  get commits(): number {
    return this.#real.commits;
  }

  isUsable(): boolean {
    return this.#real.isUsable();
  }

  close(): Promise<void> {
    return this.#real.close();
  }
}

/** A disk that a dead process can no longer touch: what is under way comes to its end, what comes after never happens. */
class MortalDisk {
  readonly files: MediaFileSystem;
  readonly #underWay = new Set<Promise<unknown>>();
  #dead = false;

  constructor(real: MediaFileSystem) {
    const mortal =
      <Values extends unknown[], Result>(call: (...values: Values) => Promise<Result>) =>
      (...values: Values): Promise<Result> => {
        if (this.#dead) return new Promise<Result>(() => {});
        const work = call(...values).finally(() => this.#underWay.delete(work));
        this.#underWay.add(work);
        return work;
      };
    this.files = {
      open: mortal((path, flags, mode) => real.open(path, flags, mode)),
      rename: mortal((from, to) => real.rename(from, to)),
      unlink: mortal((path) => real.unlink(path)),
      mkdir: mortal((path, how) => real.mkdir(path, how)),
      stat: mortal((path) => real.stat(path)),
      readdir: mortal((path) => real.readdir(path)),
    };
  }

  async die(): Promise<void> {
    this.#dead = true;
    await Promise.allSettled(this.#underWay);
  }
}

/** A valid request; small, so that tests are quick. Overrides are checked like any other request. */
export function requestFor(overrides: Record<string, unknown> = {}): CheckedRequest {
  const checked = checkRequest({ model: "flux", prompt: "a red lighthouse", width: 512, height: 512, ...overrides });
  if (!checked.ok) throw new Error(checked.detail);
  return checked;
}

export function videoRequest(overrides: Record<string, unknown> = {}): CheckedRequest {
  return requestFor({ model: "anisora", mode: "t2v", num_frames: 49, fps: 16, ...overrides });
}

/** Submits and returns the id. */
export async function submit(core: Core, request: CheckedRequest = requestFor()): Promise<string> {
  const { answer } = await submitTask(core.context, { request, idempotency: null, queueLimit: 1000 });
  return answer.task_id;
}

/** The task as it stands on disk now. */
export async function taskOf(core: Core, id: string): Promise<TaskRecord> {
  const task = await readTask(core.context.database.prepareRead, id);
  if (task === undefined) throw new Error("there is no such task");
  return task;
}

/** Resolves when the condition holds. Looks again whenever something was committed, and now and then. */
export async function until(
  core: Core,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`waited in vain; last lines of the log:\n${core.logged.slice(-8).join("")}`);
    await new Promise<void>((resolve) => {
      const unsubscribe = core.context.hub.subscribe(done);
      const timer = setTimeout(done, 20);
      function done(): void {
        unsubscribe();
        clearTimeout(timer);
        resolve();
      }
    });
  }
}

/** Resolves with the task once it is done or failed. */
export async function ended(core: Core, id: string): Promise<TaskRecord> {
  await until(core, async () => ["done", "failed"].includes((await taskOf(core, id)).status));
  return taskOf(core, id);
}

/** Every stored name that starts with the prefix. */
export async function namesIn(names: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const name of names) found.push(name);
  return found.sort();
}

/** A promise and the function that resolves it, for holding a scripted run at a step. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
