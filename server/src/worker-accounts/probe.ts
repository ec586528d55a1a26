/** One question to a worker: are you there, do you know me, what can you run? The answer is judged here and nowhere else. */
import { findModel } from "@safelight/catalog";
import {
  type WorkerHealth,
  WorkerHealth as WorkerHealthSchema,
  workerHeaders,
  workerLimits,
  workerProtocol,
} from "@safelight/contract/worker";
import { Ajv } from "ajv";
import type { Keyring } from "../keys/keyring.ts";
import { CipherError } from "../keys/keyring.ts";
import { openWorkerTransport } from "../network/guarded-fetch.ts";
import { TransportError, type TransportFailure } from "../network/transport-error.ts";
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

const fitsHealth = new Ajv({ strict: false, validateFormats: false }).compile<WorkerHealth>(WorkerHealthSchema);
const checkTimeout = 10_000;

export interface ProbeParts {
  readonly keyring: Keyring;
  readonly workerNetworks: readonly string[];
  readonly steady: () => number;
}

/** A probe that asks over the network. */
export function createProbe(parts: ProbeParts): Probe {
  return async (account) => {
    if (account.baseUrl === null) return bad("not_deployed", "It was not deployed yet.");
    const began = parts.steady();
    const latency = (): number => Math.max(0, Math.round(parts.steady() - began));
    try {
      const key = openCredential(parts.keyring, account, "workerKey");
      if (key === null) return bad("credentials_unreadable", "It has no worker key.");
      const answer = await ask(account, account.baseUrl, key, parts.workerNetworks);
      return judge(answer, latency(), key);
    } catch (error) {
      if (error instanceof CipherError)
        return bad("credentials_unreadable", `Its credentials cannot be read. ${error.message}`);
      if (error instanceof TransportError) return { ...bad(error.reason, error.message), latencyMs: latency() };
      return bad("unreachable", "The worker could not be asked.");
    }
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(
  account: AccountRecord,
  baseUrl: string,
  key: string,
  workerNetworks: readonly string[],
): Promise<Answer> {
  const transport = openWorkerTransport({ baseUrl, allowPlainHttp: account.allowPlainHttp, workerNetworks });
  try {
    const response = await transport.fetch(`${baseUrl}/health`, {
      headers: {
        authorization: `Bearer ${key}`,
        [workerHeaders.protocol]: String(workerProtocol),
        accept: "application/json",
      },
      timeoutMs: checkTimeout,
      maxBytes: workerLimits.answerBytes,
    });
    return { status: response.status, text: await response.text() };
  } finally {
    transport.close();
  }
}

/** No text of the worker goes into a detail: it could say anything, its own key included. */
function judge({ status, text }: Answer, latencyMs: number, key: string): CheckOutcome {
  const refused = (code: CheckFault, detail: string): CheckOutcome => ({ ok: false, latencyMs, code, detail });
  if (status === 401 || status === 403)
    return refused("invalid_worker_key", "The worker does not accept the worker key.");
  if (status === 400) return refused("protocol_unsupported", "The worker speaks another version of the protocol.");
  if (status !== 200) return refused("worker_error", `The worker answered GET /health with the status ${status}.`);
  const health = parse(text);
  if (health === null || text.includes(key)) return refused("unreadable", "What answers at this address is no worker.");
  if (health.protocol !== workerProtocol) {
    return refused(
      "protocol_unsupported",
      `The worker speaks version ${health.protocol} of the protocol, this server ${workerProtocol}.`,
    );
  }
  if (!health.ready) return refused("not_ready", "The worker takes no tasks at the moment.");
  const models = offeredModels(health);
  if (models.length > 0) return { ok: true, latencyMs, models, health };
  return refused("no_models", "No model of the worker has its weights in place.");
}

function parse(text: string): WorkerHealth | null {
  try {
    const value: unknown = JSON.parse(text);
    return fitsHealth(value) ? value : null;
  } catch {
    return null;
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

function bad(code: CheckFault, detail: string): { ok: false; latencyMs: null; code: CheckFault; detail: string } {
  return { ok: false, latencyMs: null, code, detail };
}
