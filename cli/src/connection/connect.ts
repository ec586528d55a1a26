// How a command finds its server: --url and --key, then SAFELIGHT_URL and API_KEY, then the server that runs on the data
// directory, and when there is none, a server in this process, under the directory's lock, for as long as the command runs.
import { type Client, createClient } from "@safelight/contract";
import { usageError } from "../failure.ts";
import type { Environment } from "./environment.ts";
import { findRunningServer } from "./server-file.ts";

export interface ConnectionOptions {
  url?: string | undefined;
  key?: string | undefined;
}

export interface Connection {
  client: Client;
  /** Without a trailing slash. */
  url: string;
  /** Undefined when none is known; the server then answers session_required. */
  key: string | undefined;
  /** The access password of this machine's settings, for an installation that asks for one. */
  password: string | undefined;
  /** True when the server lives in this process and ends with the command. */
  embedded: boolean;
  close(): Promise<void>;
}

/** Finds or starts a server. Throws a StartupError, or the error of the first request, when there is none. */
export async function connect(environment: Environment, options: ConnectionOptions): Promise<Connection> {
  const url = options.url ?? nonEmpty(environment.SAFELIGHT_URL);
  const server = await import("@safelight/server");
  const config = server.readConfig(environment);
  const local = { password: config.accessPassword ?? undefined, embedded: false, close: async () => {} };
  const ownKey = async () => config.apiKey ?? (await server.readOwnApiKey(config.dataDirectory)) ?? undefined;
  if (url !== undefined) {
    const base = checkedUrl(url);
    const key = options.key ?? config.apiKey ?? (await isOurs(base, config.dataDirectory, ownKey));
    return connectionTo({ ...local, url: base, key });
  }
  const running = await findRunningServer(config.dataDirectory);
  if (running !== null) return connectionTo({ ...local, url: running, key: options.key ?? (await ownKey()) });
  const started = await server.startServer({ ...environment, HOST: "127.0.0.1", PORT: "0", LOG_LEVEL: "silent" });
  const key = options.key ?? (await ownKey());
  return connectionTo({ ...local, url: started.url, key, embedded: true, close: () => started.close() });
}

// A key of this data directory is shown only to the server that runs on it, never to an address typed by hand.
async function isOurs(
  url: string,
  dataDirectory: string,
  ownKey: () => Promise<string | undefined>,
): Promise<string | undefined> {
  return (await findRunningServer(dataDirectory)) === url ? ownKey() : undefined;
}

function connectionTo(facts: Omit<Connection, "client">): Connection {
  const { url, key } = facts;
  return { ...facts, client: createClient({ baseUrl: url, ...(key === undefined ? {} : { apiKey: key }) }) };
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw usageError(`"${text}" is not an http or https address.`);
  if (url.username !== "" || url.password !== "")
    throw usageError("Give the key with --key or API_KEY, not in the address.");
  return url.href.replace(/[?#].*$/, "").replace(/\/+$/, "");
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
