import type { AdminHealth } from "@safelight/contract";
import { CipherError } from "../keys/keyring.ts";
import { describeQueue } from "../queue/pause.ts";
import { openCredential } from "../worker-accounts/account-credentials.ts";
import { type AccountRecord, readAccounts } from "../worker-accounts/account-record.ts";
import { listSecrets } from "./admin-secret-routes.ts";
import type { Installation } from "./installation.ts";

type Part = AdminHealth["parts"][number];

/** How the parts are, as far as looking tells; nothing is checked or changed. A part that cannot be looked at has failed. */
export async function describeHealth(installation: Installation): Promise<AdminHealth> {
  const parts: Part[] = [await lookAtDatabase(installation), await lookAtStorage(installation)];
  parts.push(lookForProxy(installation), lookAtPolicy(installation));
  let accounts: AccountRecord[] = [];
  try {
    accounts = await readAccounts(installation.context.database.prepareRead);
    parts.push(await lookAtQueue(installation), lookAtEngine(installation));
    parts.push(lookAtAccounts(accounts), lookAtEncryption(installation, accounts), await lookAtSecrets(installation));
  } catch {
    parts.push(part("worker_accounts", "failed", "They cannot be read."));
  }
  return {
    ok: parts.every(({ state }) => state !== "failed"),
    ready_accounts: accounts.filter(({ status }) => status === "ready").length,
    parts,
  };
}

function part(name: string, state: Part["state"], detail: string): Part {
  return { name, state, detail };
}

async function lookAtDatabase({ context }: Installation): Promise<Part> {
  try {
    await context.database.prepareRead("SELECT 1 AS one").get();
    return part("database", "ok", "It answers.");
  } catch {
    return part("database", "failed", "It cannot be read.");
  }
}

async function lookAtStorage({ context, storageCare }: Installation): Promise<Part> {
  const fault = context.media.fault();
  try {
    if (fault !== null) return part("media_storage", "failed", sentence(fault));
    await context.media.stat("results/none");
    const shortage = await storageCare.shortage();
    return shortage === null
      ? part("media_storage", "ok", "It answers.")
      : part("media_storage", "degraded", `New tasks are refused. ${shortage}`);
  } catch {
    const since = context.media.fault();
    return part("media_storage", "failed", since === null ? "It cannot be read." : sentence(since));
  }
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function lookForProxy({ limits }: Installation): Part {
  const { seen } = limits.proxy;
  if (seen === null) return part("reverse_proxy", "ok", "No forwarding headers come from where none are expected.");
  return part(
    "reverse_proxy",
    "degraded",
    `Requests with ${seen.header} come from ${seen.peer}, which TRUSTED_PROXIES does not name: if that is your proxy, name it there, because until then all its callers share one limit.`,
  );
}

/** A bad file of rules, or a service that gives no verdict, is worth a look; the rules before them still hold. */
function lookAtPolicy({ policy, config }: Installation): Part {
  const { rules, fault, moderation } = policy.state;
  const own =
    rules === 0 ? "The built-in rules are in force" : `The built-in rules and ${rules} of the operator are in force`;
  const file = fault === null ? "" : ` CONTENT_POLICY_FILE ${fault}: the rules before it stay.`;
  const passes =
    config.moderation?.onFailure === "accept" ? "what the rules let through passes" : "everything is refused";
  const service = moderation === "failing" ? ` The moderation service gives no verdict: ${passes}.` : "";
  return part(
    "content_policy",
    fault === null && moderation !== "failing" ? "ok" : "degraded",
    `${own}.${file}${service}`,
  );
}

async function lookAtQueue({ context }: Installation): Promise<Part> {
  const { paused, pending, limit } = await describeQueue(context);
  const state = paused || pending >= limit ? "degraded" : "ok";
  return part(
    "queue",
    state,
    `${paused ? "Paused: nothing is started. " : ""}${pending} of at most ${limit} tasks wait.`,
  );
}

function lookAtEngine({ config }: Installation): Part {
  const meaning = {
    off: "Switched off: only worker accounts run tasks.",
    auto: "Runs models that no worker account has offered.",
    always: "Runs models for which no worker account is ready.",
  };
  return part("embedded_engine", "ok", meaning[config.embeddedEngine]);
}

function lookAtAccounts(accounts: readonly AccountRecord[]): Part {
  const count = (status: AccountRecord["status"]) => accounts.filter((account) => account.status === status).length;
  if (accounts.length === 0) return part("worker_accounts", "ok", "None is registered.");
  const [ready, failed, pending, disabled] = [count("ready"), count("failed"), count("pending"), count("disabled")];
  const detail = `${ready} ready, ${failed} failed, ${pending} pending, ${disabled} disabled.`;
  return part("worker_accounts", failed + pending > 0 ? "degraded" : "ok", detail);
}

/** Credentials that the key in force does not open: the wrong ENCRYPTION_KEY shows here before a run fails by it. */
function lookAtEncryption({ accounts: { keyring } }: Installation, accounts: readonly AccountRecord[]): Part {
  const unreadable = accounts.filter((account) => {
    try {
      for (const name of ["tokenId", "tokenSecret", "workerKey"] as const) openCredential(keyring, account, name);
      return false;
    } catch (error) {
      if (error instanceof CipherError) return true;
      throw error;
    }
  });
  if (unreadable.length === 0)
    return part("encryption", "ok", `Credentials open with the key ${keyring.currentKeyId}.`);
  const names = unreadable.map(({ workspace }) => workspace).join(", ");
  return part("encryption", "failed", `ENCRYPTION_KEY does not open the credentials of ${names}.`);
}

/** How old they are, and what is to be done about them. */
async function lookAtSecrets(installation: Installation): Promise<Part> {
  const all = await listSecrets(installation);
  const steps = all.flatMap(({ name, next_step: step }) => (step === null ? [] : [`${name}: ${step}`]));
  const ages = all.flatMap(({ name, age_days: age }) => (age === null ? [] : [`${name} ${age}`])).join(", ");
  const detail = [...steps, `Ages in days: ${ages}.`].join(" ");
  return part("secrets", steps.length > 0 ? "degraded" : "ok", detail);
}
