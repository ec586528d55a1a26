// `safelight serve`: the server in the foreground, until a signal ends it.
import { type Environment, endOnUncaughtErrors, startServer } from "@safelight/server";
import { sayWhereSecretIs } from "../connection/connect.ts";
import { onInterrupt } from "../interrupt.ts";

export interface ServeOptions {
  port?: string | undefined;
  host?: string | undefined;
  dataDir?: string | undefined;
}

/** Resolves with the exit code once the server has stopped: 0 after a graceful stop. Throws a StartupError. */
export async function serve(environment: Environment, options: ServeOptions): Promise<number> {
  const settings = {
    ...environment,
    ...(options.port === undefined ? {} : { PORT: options.port }),
    ...(options.host === undefined ? {} : { HOST: options.host }),
    ...(options.dataDir === undefined ? {} : { DATA_DIR: options.dataDir }),
  };
  // Standard output belongs to the log, which programs read line by line as JSON.
  const server = await startServer(settings, { onSecretMade: sayWhereSecretIs });
  endOnUncaughtErrors(server.context.log);
  // Without a listener this signal would end the process.
  const reload = () => server.reload();
  process.on("SIGHUP", reload);
  return await new Promise((resolve, reject) => {
    const release = onInterrupt({
      first: () => {
        process.stderr.write("Stopping: running tasks are handed back and go on after the next start.\n");
        server.close().then(() => {
          release();
          process.off("SIGHUP", reload);
          resolve(0);
        }, reject);
      },
      second: () => process.exit(1),
    });
    // Not before it listens for signals: who waits for this line may send one at once.
    process.stderr.write(`Safelight is ready: ${server.url}\n`);
  });
}
