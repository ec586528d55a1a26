import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";
import type { Clock } from "./context/clock.ts";
import { type Context, createContext } from "./context/context.ts";
import { databaseName } from "./database/data-directory.ts";
import { openDatabase } from "./database/open.ts";
import { startEventFeed } from "./gateways/event-feed.ts";
import type { Log } from "./log.ts";
import type { MediaFileSystem } from "./media/media-file-system.ts";
import type { MeteredMediaStore } from "./media/metered-media-store.ts";
import { openMedia } from "./media/open-media.ts";
import type { SessionSecrets } from "./secrets/session-secrets.ts";

export interface StoreParts {
  readonly config: Config;
  readonly log: Log;
  readonly tokens: SessionSecrets;
  /** Where the database has no time of its own; the machine's without. */
  readonly clock?: Clock | undefined;
  readonly mediaFiles?: MediaFileSystem | undefined;
}

/** Database and media, and the context that the system itself acts in. Throws a StartupError of one line. */
export async function openStores(
  opened: AsyncDisposableStack,
  { config, log, tokens, mediaFiles, ...parts }: StoreParts,
): Promise<{ context: Context; media: MeteredMediaStore }> {
  const { dataDirectory, databaseUrl, databasePoolSize: poolSize } = config;
  const ownClock = parts.clock === undefined ? {} : { clock: parts.clock };
  const file = join(dataDirectory, databaseName);
  const database = await openDatabase({ file, url: databaseUrl ?? undefined, poolSize, log, ...ownClock });
  opened.defer(() => database.close());
  if (databaseUrl !== null && existsSync(file)) {
    log.warn("the database in DATA_DIR is not used, as DATABASE_URL is set; safelight migrate copies one to the other");
  }
  const { media, ...store } = await openMedia(config, log, mediaFiles);
  opened.defer(() => store.close());
  // Gateways beside each other go by one time, that of their database.
  const clock = database.clock === null ? ownClock : { clock: database.clock };
  const context = createContext({ database, log, config, media, tokens, ...clock });
  opened.defer(await startEventFeed(context));
  return { context, media };
}
