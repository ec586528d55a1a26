/** Wires a worker by hand: the embedded engine behind the worker protocol. */
import { mkdir, readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { catalog, type ModelEntry } from "@safelight/catalog";
import type { Notice } from "@safelight/contract";
import { canEncode, ENGINE_NAME, ENGINE_VERSION, EngineHost } from "@safelight/engine";
import { takeDataDirectory } from "../database/data-directory.ts";
import { StartupError } from "../errors.ts";
import { EmbeddedExecutor } from "../executors/embedded.ts";
import type { Executor, Offer } from "../executors/executor.ts";
import { createLog, type Log } from "../log.ts";
import { DiskMediaStore } from "../media/disk-media-store.ts";
import { createSecretCheck } from "../secrets/secret-check.ts";
import { createHealth, type WorkerFacts } from "./describe-worker.ts";
import { KeptTasks } from "./kept-tasks.ts";
import { ReferenceShelf } from "./reference-shelf.ts";
import { buildWorkerApp } from "./worker-app.ts";
import { resolveWorkerKey } from "./worker-key.ts";
import { WorkerTasks } from "./worker-tasks.ts";

export interface WorkerSettings {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Absolute path, this worker's alone. */
  readonly dataDirectory: string;
  /** File with the key; without one a key is made in the data directory at the first start. */
  readonly keyFile: string | null;
  /** Tasks at once; each has an engine process of its own. */
  readonly slots: number;
  readonly name: string;
  /** Ids of the models to offer; null offers all. */
  readonly models: readonly string[] | null;
  /** Hours that an ended task is kept unless it is deleted. */
  readonly keepHours: number;
}

export interface WorkerOptions {
  readonly log?: Log;
  /** Told of the file of a key that this start made. */
  readonly onKeyMade?: (file: string) => void;
  /** In place of the embedded engine, for tests. */
  readonly executors?: readonly Executor[];
}

export interface RunningWorker {
  readonly url: string;
  readonly key: string;
  readonly log: Log;
  /** Graceful: takes nothing new, stops what runs, lets results under way be stored. */
  close(): Promise<void>;
}

const sweepInterval = 10 * 60 * 1000;
const hour = 60 * 60 * 1000;

/** Starts a worker. Throws a StartupError whose lines a person can act on. */
export async function startWorker(settings: WorkerSettings, options: WorkerOptions = {}): Promise<RunningWorker> {
  checkModels(settings.models);
  const log = options.log ?? createLog({ level: "info" });
  await using opened = new AsyncDisposableStack();
  const directory = await takeDataDirectory(settings.dataDirectory);
  opened.defer(() => directory.release());
  const { keys, created } = await resolveWorkerKey(settings);
  const [key] = keys;
  for (const one of keys) log.hide(one);
  if (created !== null) options.onKeyMade?.(created);
  const media = await DiskMediaStore.open(join(directory.path, "media"));
  const engine = await openEngine(settings, directory.path, options, log);
  for (const executor of engine.executors) opened.defer(() => executor.close());
  const limits = await encoderLimits();
  const facts: WorkerFacts = {
    name: settings.name,
    version: await readVersion(),
    engine: { name: ENGINE_NAME, version: ENGINE_VERSION, notice: miniature },
    offer: (model) => offerOf(settings, model.id),
    limits,
    isWarm: engine.isWarm,
    keepMs: settings.keepHours * hour,
  };
  const shelf = await ReferenceShelf.open(media);
  const tasks = await WorkerTasks.open({
    executors: engine.executors,
    kept: new KeptTasks(media),
    media,
    shelf,
    log,
    limits,
    offer: ({ run }) => offerOf(settings, run.model),
    keepMs: facts.keepMs,
  });
  const stopping = new AbortController();
  const checks = keys.map(createSecretCheck);
  const isKey = (presented: string) => checks.some((matches) => matches(presented));
  const health = createHealth(facts, tasks);
  const app = await buildWorkerApp({ isKey, tasks, shelf, media, health, log, stopping: stopping.signal });
  opened.defer(async () => {
    const ended = tasks.stop();
    stopping.abort();
    await ended;
    const closing = app.close();
    setTimeout(() => app.server.closeAllConnections(), 1000).unref();
    await closing;
  });
  opened.defer(startSweeping(tasks, log));
  const url = await listen(app, settings);
  await directory.announce({ url, pid: process.pid });
  log.info("worker listening", { url, slots: tasks.slots().total, catalog: catalog.catalog_version });
  const parts = opened.move();
  let closing: Promise<void> | undefined;
  return { url, key, log, close: () => (closing ??= parts.disposeAsync()) };
}

async function openEngine(settings: WorkerSettings, folder: string, options: WorkerOptions, log: Log) {
  if (options.executors !== undefined) return { executors: options.executors, isWarm: () => true };
  const work = join(folder, "work");
  await mkdir(work, { recursive: true, mode: 0o700 });
  let warm = 0;
  const executors = await Promise.all(
    Array.from({ length: settings.slots }, async (_, slot) => {
      const host = new EngineHost({ onLog: (level, message) => log[level]("engine", { message }) });
      // The weights are loaded before the first task asks for them; a failure shows with that task.
      host.warm().then(
        () => (warm += 1),
        () => undefined,
      );
      return EmbeddedExecutor.open({ workFolder: join(work, `slot-${slot}`), offer: () => ({ able: true }), host });
    }),
  );
  return { executors, isWarm: () => warm > 0 };
}

function offerOf({ models }: WorkerSettings, id: string): Offer {
  if (models === null || models.includes(id)) return { able: true };
  return { able: false, reason: { code: "not_offered", detail: `This worker was started without ${id}.` } };
}

function checkModels(models: readonly string[] | null): void {
  const known: readonly string[] = catalog.models.map(({ id }) => id);
  const unknown = (models ?? []).filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new StartupError(`--models: ${unknown.join(", ")} is none of ${known.join(", ")}.`);
}

async function encoderLimits(): Promise<(model: ModelEntry) => readonly Notice[]> {
  const unable: string[] = [];
  for (const format of ["mp4", "webm"] as const) if (!(await canEncode(format))) unable.push(format);
  return (model) => {
    const options = model.parameters.find(({ name }) => name === "output_format")?.options ?? [];
    const missing = options.map(String).filter((option) => unable.includes(option));
    if (missing.length === 0) return [];
    const detail = `${missing.join(", ")} needs ffmpeg on the machine of the worker.`;
    return [{ code: "format_unavailable", parameter: "output_format", options: missing, detail }];
  };
}

const miniature: Notice = {
  code: "miniature_engine",
  detail: "The bundled sketch engine: a miniature that knows a small vocabulary of things, colours and places.",
};

function startSweeping(tasks: WorkerTasks, log: Log): () => void {
  const timer = setInterval(() => {
    tasks.sweep().catch((error: unknown) => log.warn("old tasks could not be swept away", { error }));
  }, sweepInterval).unref();
  return () => clearInterval(timer);
}

async function listen(
  app: Awaited<ReturnType<typeof buildWorkerApp>>,
  { host, port }: Pick<WorkerSettings, "host" | "port">,
): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new StartupError(`--port: ${port} on ${host} is taken by another program. Choose another.`, error);
    }
    if (code === "EACCES") throw new StartupError(`--port: ${port} may not be used by this user.`, error);
    throw new StartupError(`--host: the worker cannot listen on ${host} (${code ?? "unknown reason"}).`, error);
  }
  const address = app.server.address();
  const taken = typeof address === "object" && address !== null ? address.port : port;
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${isIPv6(name) ? `[${name}]` : name}:${taken}`;
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
