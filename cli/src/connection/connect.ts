// How a command finds its server: --url and --key, then SAFELIGHT_URL and API_KEY, then the server that runs on the data
// directory, and when there is none, a server in this process, under the directory's lock, for as long as the command runs.
import { type Client, createClient } from "@safelight/contract";
import {
  type Config,
  type Environment,
  readConfig,
  readOwnSecret,
  readServerNote,
  startServer,
} from "@safelight/server";
import { usageError } from "../failure.ts";
import { findRunningServer } from "./server-file.ts";

export interface ConnectionOptions {
  url?: string | undefined;
  key?: string | undefined;
}

export interface Connection {
  /** Ask for it anew before each request: it changes when another server takes over. */
  readonly client: Client;
  /** Without a trailing slash. */
  readonly url: string;
  /** Undefined when none is known; the server then answers session_required. */
  readonly key: string | undefined;
  /** The admin key of this machine's settings, or the one of the data directory where its own server is asked. */
  readAdminKey(): Promise<string | undefined>;
  /** What counts in place of the admin key on this machine, for whoever may read the data directory; undefined elsewhere. */
  readLocalKey(): Promise<string | undefined>;
  /** The access password of this machine's settings, for an installation that asks for one. */
  readonly password: string | undefined;
  /** True when the server lives in this process and ends with the command. */
  readonly embedded: boolean;
  /**
   * After a broken connection: the server on our data directory may have been another command's, and ended with it. Finds or
   * starts the next one, and leaves everything as it is when the address was given or nothing could be started.
   */
  recover(): Promise<void>;
  close(): Promise<void>;
}

interface Target {
  url: string;
  key: string | undefined;
  /** The server runs on our data directory: its secrets may be shown to it. */
  isOurs: () => Promise<boolean>;
  stop?: () => Promise<void>;
}

/** How long another process may be between taking the directory and answering, in milliseconds. */
const startUpMs = 3000;

/** Finds or starts a server. Throws a StartupError when neither is possible. */
export async function connect(environment: Environment, options: ConnectionOptions): Promise<Connection> {
  const config = readConfig(environment);
  const address = options.url ?? (environment.SAFELIGHT_URL || undefined);
  const find = () =>
    address === undefined
      ? findLocal(environment, config, options.key)
      : findNamed(checkedUrl(address), config, options.key);
  let target = await find();
  let client = clientOf(target);
  return {
    get client() {
      return client;
    },
    get url() {
      return target.url;
    },
    get key() {
      return target.key;
    },
    get embedded() {
      return target.stop !== undefined;
    },
    password: config.accessPassword ?? undefined,
    readAdminKey: async () =>
      config.adminKey ??
      ((await target.isOurs()) ? await readOwnSecret(config.dataDirectory, "admin-key") : null) ??
      undefined,
    readLocalKey: async () =>
      (await target.isOurs()) ? ((await readServerNote(config.dataDirectory))?.local_key ?? undefined) : undefined,
    recover: async () => {
      if (address !== undefined || target.stop !== undefined) return;
      target = await find().catch(() => target);
      client = clientOf(target);
    },
    close: async () => target.stop?.(),
  };
}

/** On standard error, as standard output belongs to the answer of the command. */
export function sayWhereSecretIs(file: string): void {
  process.stderr.write(`A secret was made: ${file}\n`);
}

async function findNamed(url: string, config: Config, key: string | undefined): Promise<Target> {
  // A key of this data directory is shown only to the server that runs on it, never to an address typed by hand.
  const isOurs = async () => (await findRunningServer(config.dataDirectory)) === url;
  if (key !== undefined || config.apiKey !== null) return { url, key: key ?? config.apiKey ?? undefined, isOurs };
  return { url, key: (await isOurs()) ? await ownKey(config) : undefined, isOurs };
}

async function findLocal(environment: Environment, config: Config, key: string | undefined): Promise<Target> {
  const isOurs = async () => true;
  const running = await findRunningServer(config.dataDirectory);
  if (running !== null) return { url: running, key: key ?? (await ownKey(config)), isOurs };
  try {
    const settings = { ...environment, HOST: "127.0.0.1", PORT: "0", LOG_LEVEL: "silent" };
    const started = await startServer(settings, { onSecretMade: sayWhereSecretIs });
    return { url: started.url, key: key ?? started.secrets.apiKey, isOurs, stop: () => started.close() };
  } catch (error) {
    const url = await waitForOther(config.dataDirectory);
    if (url === null) throw error;
    return { url, key: key ?? (await ownKey(config)), isOurs };
  }
}

// Two commands at once: one of them gets the directory, the other finds it taken before it can be asked where it listens.
async function waitForOther(dataDirectory: string): Promise<string | null> {
  for (const end = performance.now() + startUpMs; performance.now() < end; ) {
    const url = await findRunningServer(dataDirectory);
    if (url !== null) return url;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return null;
}

async function ownKey(config: Config): Promise<string | undefined> {
  return config.apiKey ?? (await readOwnSecret(config.dataDirectory, "api-key")) ?? undefined;
}

function clientOf({ url, key }: Target): Client {
  return createClient({ baseUrl: url, ...(key === undefined ? {} : { apiKey: key }) });
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw usageError(`"${text}" is not an http or https address.`);
  if (url.username !== "" || url.password !== "")
    throw usageError("Give the key with --key or API_KEY, not in the address.");
  return url.href.replace(/[?#].*$/, "").replace(/\/+$/, "");
}
