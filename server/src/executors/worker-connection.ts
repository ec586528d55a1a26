import type { Keyring } from "../keys/keyring.ts";
import { openWorkerTransport } from "../network/guarded-fetch.ts";
import type { TimeLimits } from "../tasks/time-limits.ts";
import { openCredential } from "../worker-accounts/account-credentials.ts";
import type { AccountRecord } from "../worker-accounts/account-record.ts";
import { WorkerClient } from "../worker-client/worker-client.ts";
import { WorkerError } from "../worker-client/worker-error.ts";

export interface ConnectionParts {
  readonly keyring: Keyring;
  readonly workerNetworks: readonly string[];
  readonly limits: TimeLimits;
}

/** A worker at one address with one key. */
export interface WorkerConnection {
  /** Tells apart whatever changes who is spoken to, or how. */
  readonly version: string;
  readonly baseUrl: string;
  /** To be kept out of everything that is shown or logged. */
  readonly key: string;
  readonly client: WorkerClient;
  close(): void;
}

export function connectionVersionOf({ revision, allowPlainHttp, baseUrl, sealed }: AccountRecord): string {
  return JSON.stringify([revision, allowPlainHttp, baseUrl, sealed.workerKey]);
}

/** The most that is taken of one result. */
export const resultBytes = { image: 64 * 1024 ** 2, video: 1024 ** 3 } as const;

/** Calls nobody yet. Throws a WorkerError when the account has no address or a key that cannot be read. */
export function openConnection(account: AccountRecord, parts: ConnectionParts): WorkerConnection {
  const { baseUrl, allowPlainHttp } = account;
  if (baseUrl === null) throw new WorkerError("unreachable", "The workspace was not deployed yet.");
  const key = readKey(account, parts.keyring);
  const { limits, workerNetworks } = parts;
  const transport = openWorkerTransport({ baseUrl, allowPlainHttp, workerNetworks });
  const client = new WorkerClient({
    baseUrl,
    key,
    fetch: transport.fetch,
    timeoutMs: limits.workerAnswer,
    idleMs: limits.transferIdle,
    transferMs: limits.transfer,
    maxResultBytes: resultBytes.video,
  });
  return { version: connectionVersionOf(account), baseUrl, key, client, close: () => transport.close() };
}

function readKey(account: AccountRecord, keyring: Keyring): string {
  try {
    const key = openCredential(keyring, account, "workerKey");
    if (key !== null) return key;
  } catch (error) {
    throw new WorkerError("unreachable", "The credentials of the workspace cannot be read.", { cause: error });
  }
  throw new WorkerError("unreachable", "The workspace has no worker key.");
}
