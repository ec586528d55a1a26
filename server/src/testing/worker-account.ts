import { catalog } from "@safelight/catalog";
import type { Keyring } from "../keys/keyring.ts";
import { sealCredential } from "../worker-accounts/account-credentials.ts";
import type { AccountRecord } from "../worker-accounts/account-record.ts";
import { healthOf } from "./health-worker.ts";

/** The record of an account that was checked a moment ago and offers everything by a scripted engine, one slot each unless told. */
export function workerAccount(
  keyring: Keyring,
  worker: { readonly baseUrl: string; readonly key: string },
  overrides: Partial<AccountRecord> = {},
): AccountRecord {
  const id = overrides.id ?? "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f20";
  const workerKey = sealCredential(keyring, id, "workerKey", worker.key);
  const models = catalog.models.map((model) => ({
    model: model.id as string,
    modes: model.modes.map((mode) => mode.id as string),
    offered: true,
  }));
  const health = healthOf(models.map(({ model }) => model));
  return {
    id,
    workspace: "attic-gpu",
    label: "Machine in the attic",
    kind: "http",
    baseUrl: worker.baseUrl,
    allowPlainHttp: false,
    status: "ready",
    draining: false,
    sealed: { tokenId: null, tokenSecret: null, nextWorkerKey: null, workerKey },
    credentialsChangedAt: 0,
    workerKeyChangedAt: 0,
    slots: { image: 1, video: 1 },
    minContainers: 0,
    maxContainers: 1,
    lastHealthAt: 1,
    lastHealthStatus: "ok",
    lastLatencyMs: 1,
    lastErrorCode: null,
    lastError: null,
    lastHealth: JSON.stringify({ ...health, engine: { name: "scripted", version: "1", notice: null } }),
    badChecks: 0,
    nextCheckAt: null,
    useCount: 0,
    lastUsedAt: null,
    revision: 1,
    createdAt: 0,
    updatedAt: 0,
    models,
    ...overrides,
  };
}
