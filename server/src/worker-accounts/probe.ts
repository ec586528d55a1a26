/** One question to a worker: are you there, do you know me, what can you run? The answer is judged here and nowhere else. */
import { findModel } from "@safelight/catalog";
import type { WorkerHealth } from "@safelight/contract/worker";
import { CipherError, type Keyring } from "../keys/keyring.ts";
import { openWorkerTransport } from "../network/guarded-fetch.ts";
import { TransportError, type TransportFailure } from "../network/transport-error.ts";
import { WorkerClient } from "../worker-client/worker-client.ts";
import { WorkerError } from "../worker-client/worker-error.ts";
import { openCredential } from "./account-credentials.ts";
import type { AccountRecord } from "./account-record.ts";

/** Why a check was bad; the page translates by it. */
export type CheckFault =
  | TransportFailure
  | "not_deployed"
  | "credentials_unreadable"
  | "invalid_worker_key"
  | "protocol_unsupported"
  | "worker_error"
  | "not_ready"
  | "no_models";

export type CheckOutcome =
  | {
      readonly ok: true;
      readonly latencyMs: number;
      /** What has its weights in place, in the catalog's names. */
      readonly models: readonly { readonly model: string; readonly modes: readonly string[] }[];
      /** What the worker said of itself. */
      readonly health: WorkerHealth;
    }
  | { readonly ok: false; readonly latencyMs: number | null; readonly code: CheckFault; readonly detail: string };

/** Never rejects: whatever goes wrong is a bad check. */
export type Probe = (account: AccountRecord) => Promise<CheckOutcome>;

export interface ProbeParts {
  readonly keyring: Keyring;
  readonly workerNetworks: readonly string[];
  readonly steady: () => number;
}

/** A probe that asks over the network. */
export function createProbe(parts: ProbeParts): Probe {
  return async (account) => {
    const began = parts.steady();
    const took = (): number => Math.max(0, Math.round(parts.steady() - began));
    try {
      if (account.baseUrl === null) return bad("not_deployed", "It was not deployed yet.");
      const key = openCredential(parts.keyring, account, "workerKey");
      if (key === null) return bad("credentials_unreadable", "It has no worker key.");
      const health = await ask(account, account.baseUrl, key, parts.workerNetworks);
      return judge(health, took(), key);
    } catch (error) {
      const [code, detail] = explain(error);
      return bad(code, detail, error instanceof CipherError ? null : took());
    }
  };
}

async function ask(
  account: AccountRecord,
  baseUrl: string,
  key: string,
  workerNetworks: readonly string[],
): Promise<WorkerHealth> {
  const transport = openWorkerTransport({ baseUrl, allowPlainHttp: account.allowPlainHttp, workerNetworks });
  try {
    return await new WorkerClient({ baseUrl, key, fetch: transport.fetch }).health();
  } finally {
    transport.close();
  }
}

function judge(health: WorkerHealth, latencyMs: number, key: string): CheckOutcome {
  // What a worker says of itself is kept and shown; its key must not come back that way.
  if (JSON.stringify(health).includes(key))
    return bad("unreadable", "What answers there repeats the worker key.", latencyMs);
  if (!health.ready) return bad("not_ready", "The worker takes no tasks at the moment.", latencyMs);
  const models = offeredModels(health);
  if (models.length === 0) return bad("no_models", "No model of the worker has its weights in place.", latencyMs);
  return { ok: true, latencyMs, models, health };
}

/** Our words alone: a text of the worker could say anything, the key that it was sent included. */
function explain(error: unknown): readonly [CheckFault, string] {
  if (error instanceof CipherError)
    return ["credentials_unreadable", `Its credentials cannot be read. ${error.message}`];
  if (error instanceof TransportError) return [error.reason, error.message];
  if (!(error instanceof WorkerError)) return ["unreachable", "The worker could not be asked."];
  if (error.transport !== null) return [error.transport, error.message];
  if (error.problem?.code === "protocol_unsupported") {
    return ["protocol_unsupported", "The worker speaks another version of the protocol."];
  }
  switch (error.kind) {
    case "key_refused":
      return ["invalid_worker_key", "The worker does not accept the worker key."];
    case "broken_protocol":
      return ["unreadable", "What answers at this address does not speak the worker protocol."];
    case "unreachable":
    case "timeout":
      return ["unreachable", "The worker does not answer."];
    case "busy":
    case "task_unknown":
    case "task_refused":
    case "worker_fault":
      return ["worker_error", "The worker could not say how it is."];
  }
}

/** Models without weights are not offered; neither is what the catalog does not know. */
function offeredModels({ models }: WorkerHealth): { model: string; modes: string[] }[] {
  const offered = new Map<string, string[]>();
  for (const { id, type, weights, modes } of models) {
    const entry = findModel(id);
    if (entry === undefined || entry.type !== type || weights !== "in_place") continue;
    const known = modes.filter((mode) => mode.available && entry.modes.some((own) => own.id === mode.id));
    if (known.length > 0)
      offered.set(
        entry.id,
        known.map((mode) => mode.id),
      );
  }
  return [...offered].map(([model, modes]) => ({ model, modes }));
}

function bad(code: CheckFault, detail: string, latencyMs: number | null = null): CheckOutcome {
  return { ok: false, latencyMs, code, detail };
}
