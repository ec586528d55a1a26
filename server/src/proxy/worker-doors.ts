import { CipherError, type Keyring } from "../keys/keyring.ts";
import type { Log } from "../log.ts";
import type { Resolve } from "../network/destination.ts";
import { openWorkerTransport, type WorkerTransport } from "../network/guarded-fetch.ts";
import { PROXY_TRANSFER_MS } from "../tasks/time-limits.ts";
import { openCredential } from "../worker-accounts/account-credentials.ts";
import type { AccountRecord } from "../worker-accounts/account-record.ts";
import { WorkerClient } from "../worker-client/worker-client.ts";
import { WorkerError } from "../worker-client/worker-error.ts";

export interface DoorParts {
  readonly keyring: Keyring;
  readonly workerNetworks: readonly string[];
  readonly log: Log;
  /** Stands in for the system's resolver in tests. */
  readonly resolve?: Resolve;
  /** Milliseconds, for tests: a short call, how long a body may stand still while it is waited for, and a cancel. */
  readonly timeoutMs?: number;
  readonly idleMs?: number;
  readonly cancelMs?: number;
}

/** A way to one worker, for one call or one stream. */
export interface Door {
  readonly client: WorkerClient;
  /** The key that the client sends, to be able to tell when a worker sends it back. */
  readonly key: string;
  /** The call is over; connections stay open for the next one. */
  release(): void;
}

/**
 * How many connections a worker gets for short calls, for answers that are held, and for files. Each kind has its own, so that neither slow
 * downloads nor many who wait can hold up a status.
 */
const connections = { calls: 32, waits: 512, files: 128 } as const;
export type Purpose = keyof typeof connections;

interface Way {
  readonly transport: WorkerTransport;
  readonly baseUrl: string;
  readonly allowPlainHttp: boolean;
  users: number;
  /** The account points elsewhere by now: closed when the last user has gone. */
  isRetired: boolean;
}

/**
 * Connections to the workers of accounts, kept from call to call. The account is read anew for each call, so a changed address counts at
 * once; what is under way to the old one may end. Keys are opened for the call that needs them and not kept.
 */
export class WorkerDoors {
  readonly #parts: DoorParts;
  readonly #ways = new Map<string, Way>();

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /** Opens no connection yet. Errors: WorkerError `unreachable`; TransportError for an address that is not called. */
  open(account: AccountRecord, purpose: Purpose): Door {
    const { baseUrl } = account;
    if (baseUrl === null)
      throw new WorkerError("unreachable", `The workspace ${account.workspace} was not deployed yet.`);
    const key = this.#keyOf(account);
    // A worker may send it back in any text; it must not reach the log that way.
    this.#parts.log.hide(key);
    const way = this.#wayTo(account, baseUrl, purpose);
    way.users += 1;
    const { timeoutMs = 10_000, idleMs = 30_000 } = this.#parts;
    const limits = { timeoutMs, idleMs, transferMs: PROXY_TRANSFER_MS };
    const client = new WorkerClient({ baseUrl, key, fetch: way.transport.fetch, ...limits });
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      way.users -= 1;
      closeIfDone(way);
    };
    return { client, key, release };
  }

  /** Cuts every connection. */
  close(): void {
    for (const { transport } of this.#ways.values()) transport.close();
    this.#ways.clear();
  }

  #keyOf(account: AccountRecord): string {
    try {
      const key = openCredential(this.#parts.keyring, account, "workerKey");
      if (key !== null) return key;
    } catch (error) {
      if (!(error instanceof CipherError)) throw error;
      throw new WorkerError("unreachable", `The credentials of ${account.workspace} cannot be read.`, { cause: error });
    }
    throw new WorkerError("unreachable", `The workspace ${account.workspace} has no worker key.`);
  }

  #wayTo({ id, allowPlainHttp }: AccountRecord, baseUrl: string, purpose: Purpose): Way {
    const name = `${purpose} ${id}`;
    const known = this.#ways.get(name);
    if (known?.baseUrl === baseUrl && known.allowPlainHttp === allowPlainHttp) return known;
    const { workerNetworks, resolve } = this.#parts;
    const transport = openWorkerTransport({
      baseUrl,
      allowPlainHttp,
      workerNetworks,
      connections: connections[purpose],
      ...(resolve === undefined ? {} : { resolve }),
    });
    const way: Way = { transport, baseUrl, allowPlainHttp, users: 0, isRetired: false };
    if (known !== undefined) {
      known.isRetired = true;
      closeIfDone(known);
    }
    this.#ways.set(name, way);
    return way;
  }
}

function closeIfDone(way: Way): void {
  if (way.isRetired && way.users === 0) way.transport.close();
}
