// Several gateways on one PostgreSQL database and one media folder, each with a dispatcher of its own, in one process.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readConfig } from "../config.ts";
import { createContext } from "../context/context.ts";
import { openPostgres } from "../database/postgres/postgres-database.ts";
import { type Dispatcher, startDispatcher } from "../dispatch/dispatcher.ts";
import type { Executor } from "../executors/executor.ts";
import { ScriptedExecutor, ScriptedMachine } from "../executors/scripted.ts";
import { startEventFeed } from "../gateways/event-feed.ts";
import { createLog } from "../log.ts";
import { DiskMediaStore } from "../media/disk-media-store.ts";
import type { TimeLimits } from "../tasks/time-limits.ts";
import { type Core, DatabaseFaults, ManualClock } from "./core.ts";
import { HeldDatabase } from "./held-database.ts";
import { sharedPostgres } from "./postgres-server.ts";

/** A gateway as it runs tasks. */
export interface WorkingGateway extends Core {
  readonly database: HeldDatabase;
  /** Where what it runs itself takes place; ends with it. */
  readonly own: ScriptedMachine;
  readonly dispatcher: Dispatcher;
  /** From now on it does nothing any more, as if its process had been killed. */
  kill(): Promise<void>;
  /** Graceful. */
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly limits?: TimeLimits;
  /** Whether it has an engine of its own; by default it has. */
  readonly embedded?: boolean;
  /** Whether it hears what others say; by default it does. */
  readonly hears?: boolean;
}

export interface Installation {
  readonly url: string;
  /** The time that all gateways agree on. */
  readonly clock: ManualClock;
  /** The worker that all gateways reach under the name `attic-gpu`; without slots unless it is given some. */
  readonly worker: ScriptedMachine;
  readonly slots: { image: number; video: number; total: number };
  open(options?: GatewayOptions): Promise<WorkingGateway>;
  close(): Promise<void>;
}

/** An installation without gateways yet. */
export async function openInstallation(): Promise<Installation> {
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  const folder = await mkdtemp(join(tmpdir(), "safelight-installation-"));
  // One for all of them, as a bucket is: opening a folder clears what is being written into it.
  const media = await DiskMediaStore.open(join(folder, "media"));
  const gateways: WorkingGateway[] = [];
  const installation: Installation = {
    url,
    clock: new ManualClock(),
    worker: new ScriptedMachine(),
    slots: { image: 0, video: 0, total: 0 },
    open: async (options = {}) => {
      const gateway = await openWorking(installation, media, options);
      gateways.push(gateway);
      return gateway;
    },
    close: async () => {
      for (const gateway of gateways) await gateway.close();
      await server.dropDatabase(url);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return installation;
}

async function openWorking(
  { url, clock, worker, slots }: Installation,
  media: DiskMediaStore,
  { limits, embedded = true, hears = true }: GatewayOptions,
): Promise<WorkingGateway> {
  const folder = dirname(media.folder);
  const config = readConfig({ DATA_DIR: folder, LOG_LEVEL: "debug" });
  const logged: string[] = [];
  const log = createLog({ level: config.logLevel, destination: { write: (line) => void logged.push(line) } });
  const faults = new DatabaseFaults();
  const database = new HeldDatabase(await openPostgres({ url, log, interrupt: faults.interrupt }));
  if (!hears) database.listen = () => () => undefined;
  const context = createContext({ database, log, config, media, clock });
  const stopFeed = await startEventFeed(context);
  const own = new ScriptedMachine();
  const executors: Executor[] = [
    new ScriptedExecutor({ name: "attic-gpu", machine: worker, survivesRestart: true, slots }),
    ...(embedded ? [new ScriptedExecutor({ name: "embedded", machine: own })] : []),
  ];
  const dispatcher = await startDispatcher({
    context,
    executors,
    storagePauses: [0, 50, 100],
    ...(limits === undefined ? {} : { limits }),
  });
  const { promise: dead, resolve: die } = Promise.withResolvers<void>();
  const endWrites = (): void => {
    database.onWrite = () => new Promise<never>(() => undefined);
    die();
  };
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await stopFeed();
    await database.close();
  };
  return {
    folder,
    context,
    clock,
    faults,
    logged,
    database,
    own,
    dispatcher,
    dead,
    die: endWrites,
    kill() {
      endWrites();
      own.forget();
      // Its connections end with it.
      return (closed ??= close());
    },
    stop: () => dispatcher.stop(),
    reopen: () => Promise.reject(new Error("another gateway is opened instead")),
    close() {
      if (closed === undefined) database.onWrite = () => undefined;
      return (closed ??= dispatcher.stop().then(close));
    },
  };
}
