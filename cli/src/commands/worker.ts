// `safelight worker`: the embedded engine behind the worker protocol, in the foreground, until a signal ends it.
import { resolve } from "node:path";
import { endOnUncaughtErrors, repositoryRoot } from "@safelight/server";
import { startWorker, type WorkerSettings } from "@safelight/server/worker-host";
import { sayWhereSecretIs } from "../connection/connect.ts";
import { usageError } from "../failure.ts";
import { onInterrupt } from "../interrupt.ts";

export interface WorkerFlags {
  port: string;
  host: string;
  keyFile?: string;
  dataDir?: string;
  slots: string;
  models?: string;
  name: string;
  keepHours: string;
}

/** Resolves with the exit code once the worker has stopped: 0 after a graceful stop. Throws a StartupError. */
export async function worker(flags: WorkerFlags): Promise<number> {
  // Standard output belongs to the log, which programs read line by line as JSON.
  const running = await startWorker(settingsOf(flags), { onKeyMade: sayWhereSecretIs });
  endOnUncaughtErrors(running.log);
  process.stderr.write(`The worker is ready: ${running.url}\n`);
  return await new Promise((resolve, reject) => {
    const release = onInterrupt({
      first: () => {
        process.stderr.write("Stopping: running tasks are lost, finished ones are kept.\n");
        running.close().then(() => {
          release();
          resolve(0);
        }, reject);
      },
      second: () => process.exit(1),
    });
  });
}

function settingsOf(flags: WorkerFlags): WorkerSettings {
  return {
    host: flags.host,
    port: wholeNumber("--port", flags.port, 0, 65_535),
    // Paths that a person typed count from where that person stands, the default from the repository.
    dataDirectory: flags.dataDir === undefined ? resolve(repositoryRoot, "data/worker") : resolve(flags.dataDir),
    keyFile: flags.keyFile === undefined ? null : resolve(flags.keyFile),
    slots: wholeNumber("--slots", flags.slots, 1, 64),
    models: flags.models?.split(",").map((id) => id.trim()) ?? null,
    name: flags.name.slice(0, 100),
    keepHours: wholeNumber("--keep-hours", flags.keepHours, 1, 24 * 365),
  };
}

function wholeNumber(flag: string, text: string, minimum: number, maximum: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw usageError(`${flag} must be a whole number from ${minimum} to ${maximum}.`);
}
