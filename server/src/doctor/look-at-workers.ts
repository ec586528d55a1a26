import { type Config, parseEncryptionKeys } from "../config.ts";
import { CipherError, createKeyring, type Keyring } from "../keys/keyring.ts";
import { openWorkerTransport } from "../network/guarded-fetch.ts";
import { readSecret, secretFile } from "../secrets/resolve-secrets.ts";
import { waitingFiles } from "../secrets/secret-files.ts";
import { openCredential } from "../worker-accounts/account-credentials.ts";
import { type AccountRecord, readAccounts } from "../worker-accounts/account-record.ts";
import { type Finding, ok, problem, reasonOf, warning } from "./finding.ts";
import type { Reading } from "./look-at-database.ts";

/** A worker whose clock is further away than this has a wrong one, or we have: seconds. */
const mostSkew = 60;

/** Every account that is not disabled: that its secrets open, that it is reached, and how its clock goes. No key is sent. */
export async function lookAtWorkers(reading: Reading, config: Config, reach: boolean): Promise<Finding[]> {
  const accounts = (await readAccounts(reading.prepareRead)).filter(({ status }) => status !== "disabled");
  if (accounts.length === 0) {
    if (config.embeddedEngine !== "off")
      return [ok("workers", "None is registered; the embedded engine runs everything.")];
    const mend = "Register a worker account on the admin page, or set EMBEDDED_ENGINE=auto.";
    return [warning("workers", "None is registered and EMBEDDED_ENGINE is off: nothing can run.", mend)];
  }
  const keyring = await readKeyring(config);
  const each = accounts.map((account) => lookAtAccount(account, keyring, config, reach));
  return Promise.all(each);
}

async function lookAtAccount(
  account: AccountRecord,
  keyring: Keyring | null,
  config: Config,
  reach: boolean,
): Promise<Finding> {
  const check = `worker ${account.workspace}`;
  if (keyring === null || !opens(keyring, account)) {
    const mend = "Put back the ENCRYPTION_KEY that was in force, or enter the account's credentials again.";
    return problem(check, "Its credentials do not open with ENCRYPTION_KEY.", mend);
  }
  if (account.baseUrl === null) return warning(check, "It was never deployed.", "Deploy it on the admin page.");
  if (reach) {
    const unreachable = await callWorker(check, account, config);
    if (unreachable !== null) return unreachable;
  }
  if (account.lastHealthStatus === "failed") {
    return warning(
      check,
      `Its last check failed: ${account.lastError ?? "no reason is known"}`,
      "Check it on the admin page.",
    );
  }
  return ok(check, reach ? "It answers, and its clock agrees." : "Its credentials open; it was not called.");
}

/** Any answer will do, as none is asked for in our name; a refusal for want of a key is the usual one. */
async function callWorker(check: string, account: AccountRecord, config: Config): Promise<Finding | null> {
  const mend = "Start the worker, and check its address, WORKER_NETWORKS, and what stands between.";
  const baseUrl = account.baseUrl ?? "";
  let transport: ReturnType<typeof openWorkerTransport> | undefined;
  try {
    const { workerNetworks } = config;
    transport = openWorkerTransport({ baseUrl, workerNetworks, allowPlainHttp: account.allowPlainHttp });
    const answer = await transport.fetch(`${baseUrl.replace(/\/+$/, "")}/health`, { timeoutMs: 10_000 });
    await answer.body?.cancel();
    const date = Date.parse(answer.headers.get("date") ?? "");
    const skew = Math.round((date - Date.now()) / 1000);
    if (Math.abs(skew) <= mostSkew || Number.isNaN(skew)) return null;
    const detail = `Its clock is ${Math.abs(skew)} seconds ${skew > 0 ? "ahead of" : "behind"} this machine's.`;
    return warning(check, detail, "Set both by NTP (timedatectl set-ntp true).");
  } catch (error) {
    return problem(check, `It cannot be reached (${reasonOf(error)}).`, mend);
  } finally {
    transport?.close();
  }
}

function opens(keyring: Keyring, account: AccountRecord): boolean {
  try {
    for (const name of ["tokenId", "tokenSecret", "workerKey"] as const) openCredential(keyring, account, name);
    return true;
  } catch (error) {
    if (error instanceof CipherError) return false;
    throw error;
  }
}

async function readKeyring(config: Config): Promise<Keyring | null> {
  const kept = () => readSecret(secretFile(config.dataDirectory, "encryption-key")).catch(() => null);
  const text = config.encryptionKey ?? (await kept());
  // After a rotation the new key is in force already, also while it waits to be set.
  const files = await waitingFiles(config.dataDirectory, "encryption-key").catch(() => []);
  const waiting = await Promise.all(files.map((file) => readSecret(file).catch(() => null)));
  const keys = text === null ? null : parseEncryptionKeys([text, ...waiting.filter((one) => one !== null)].join(","));
  return keys === null ? null : createKeyring(keys);
}
