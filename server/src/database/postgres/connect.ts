import { Socket } from "node:net";
import { Client, type ClientConfig } from "pg";
import type { PostgresAddress } from "./address.ts";
import { valueTypes } from "./values.ts";

/** Milliseconds. */
export interface PostgresTimes {
  /** A connection is given up after this long. */
  readonly connect: number;
  /** The server ends a statement after this long. */
  readonly statement: number;
  /** A statement of a write, while which all gateways wait. Shorter than `turn`. */
  readonly work: number;
  /** How long a write waits for its turn among all gateways. */
  readonly turn: number;
  /**
   * The server ends a transaction in which nothing comes for this long: a gateway that was stopped in the middle of one, or that can no
   * longer be reached, does not keep the turn. Shorter than `turn`, so that those who wait outlast it.
   */
  readonly idle: number;
  /** How long reading waits for a connection when all are busy. */
  readonly poolWait: number;
  /** A connection that was not used for this long is not used again: it may be broken without anybody having noticed. */
  readonly unused: number;
  /** Between two looks at a database that is well. */
  readonly look: number;
  /** Between two looks at one that is not. */
  readonly retry: number;
  /** A look that takes longer finds the database unwell. */
  readonly answer: number;
  /** Between two measurements of the database's time. */
  readonly clock: number;
  /** Between two questions whether this gateway leads. */
  readonly leaderAsk: number;
  /** Who leads and hears nothing for this long leads no more. */
  readonly leaderAnswer: number;
  /** The server lets somebody else lead after this long without a word. Longer than `leaderAnswer`. */
  readonly leaderIdle: number;
}

export const usualTimes: PostgresTimes = {
  connect: 5000,
  statement: 30_000,
  work: 15_000,
  turn: 20_000,
  idle: 10_000,
  poolWait: 5000,
  unused: 60_000,
  look: 1000,
  retry: 250,
  answer: 5000,
  clock: 30_000,
  leaderAsk: 1000,
  leaderAnswer: 3000,
  leaderIdle: 4000,
};

/** After the server's own limit, for a server that has fallen silent. Milliseconds. */
export const overdue = 5000;

/**
 * The sockets of all connections, so that all of them can be cut at once: on a connection whose other end has fallen silent, a query would
 * wait for its time limit, and whoever waits for the query with it.
 */
export class Sockets {
  readonly #open = new Set<Socket>();

  readonly make = (): Socket => {
    const socket = new Socket();
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  };

  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** What all connections of this process have in common. */
export interface ConnectionParts {
  readonly address: PostgresAddress;
  readonly times: PostgresTimes;
  readonly sockets: Sockets;
  /** Name and process, as they stand in the server's list of connections. */
  readonly applicationName: string;
}

/** `sessionSettings` are settings of the server, for the connection alone. */
export function clientConfig(
  { address, times, sockets, applicationName }: ConnectionParts,
  sessionSettings: Readonly<Record<string, string | number>> = {},
): ClientConfig {
  const settings = {
    jit: "off",
    statement_timeout: times.statement,
    lock_timeout: times.turn,
    idle_in_transaction_session_timeout: times.idle,
    // The server notices too when the other end is gone, and lets go of what it held.
    tcp_keepalives_idle: 15,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    // Also where it waits for what it has sent to be taken: keepalives do not count then, and statements cannot be ended.
    tcp_user_timeout: 10_000,
    ...sessionSettings,
  };
  return {
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    ...(address.password === undefined ? {} : { password: address.password }),
    ssl: address.ssl,
    application_name: applicationName,
    options: Object.entries(settings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(" "),
    client_encoding: "UTF8",
    keepAlive: true,
    keepAliveInitialDelayMillis: 15_000,
    connectionTimeoutMillis: times.connect,
    query_timeout: times.statement + overdue,
    types: valueTypes as NonNullable<ClientConfig["types"]>,
    stream: sockets.make,
  };
}

const socketOf = new WeakMap<Client, Socket>();

/** A connection that is open. `onEnd` hears, once, that it has broken or was closed. */
export async function connect(config: ClientConfig, onEnd: (client: Client, error: unknown) => void): Promise<Client> {
  const client = newClient(config);
  let isOpen = false;
  const end = (error: unknown): void => {
    if (isOpen) onEnd(client, error);
    isOpen = false;
  };
  client.on("error", end);
  client.on("end", () => end(new Error("the connection has ended")));
  await client.connect();
  isOpen = true;
  return client;
}

/** One that is not connected yet. */
export function newClient(config: ClientConfig): Client {
  const { stream } = config;
  let socket: Socket | undefined;
  const client = new Client({
    ...config,
    stream: () => {
      socket = typeof stream === "function" ? (stream() as Socket) : new Socket();
      return socket;
    },
  });
  if (socket !== undefined) socketOf.set(client, socket);
  return client;
}

/** Breaks the connection off; whoever waits on it is told at once. */
export function drop(client: Client): void {
  socketOf.get(client)?.destroy();
}

/** Ends the connection in good order, unless the other end does not answer: then it is broken off after `limit` milliseconds. Never rejects. */
export async function endInTime(client: Client, limit: number): Promise<void> {
  const timer = setTimeout(() => drop(client), limit);
  await client.end().catch(() => undefined);
  clearTimeout(timer);
}
