import {
  type ApiKeyRequest,
  type AuditAction,
  type RevokeRequest,
  type RotateRequest,
  routes,
  type Secret,
  type SecretChanged,
  type Secrets,
} from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { deployAccount } from "../deploy/queue-deployment.ts";
import { SafelightError } from "../errors.ts";
import { type Changed, recoverSecret, retireSecret, revokeSecret, rotateSecret } from "../secrets/change-secret.ts";
import { describeSecret, describeSecrets, stepsAfter, warnAfterDays } from "../secrets/describe-secrets.ts";
import type { SecretBook } from "../secrets/secret-book.ts";
import { type Ending, endSessions, proofsIn } from "../sessions/kept-tokens.ts";
import { dropUnreadable } from "../worker-accounts/reencrypt-credentials.ts";
import { announceChange } from "../worker-accounts/registry.ts";
import {
  describeAccountSecrets,
  type NewWorkerKey,
  revokeWorkerKey,
  rotateWorkerKey,
  useNextWorkerKey,
} from "../worker-accounts/worker-key.ts";
import type { Installation } from "./installation.ts";
import type { Call, Registrar } from "./register.ts";
import { registerAdmin } from "./register-admin.ts";

const hour = 60 * 60 * 1000;

/** Secrets and API keys. What ends with a secret ends in its transaction: sessions that were opened with it. */
export function registerAdminSecretRoutes(registrar: Registrar): void {
  registerReads(registrar);
  registerChanges(registrar);
  registerApiKeys(registrar);
}

/** Every secret, those of worker accounts included. */
export async function listSecrets({ context, secrets }: Pick<Installation, "context" | "secrets">): Promise<Secret[]> {
  return [...describeSecrets(secrets), ...(await describeAccountSecrets(context))];
}

function registerReads(registrar: Registrar): void {
  const { installation } = registrar;
  const reading = { action: "read_secrets", records: "read" } as const;
  registerAdmin(
    registrar,
    routes.listSecrets,
    reading,
    async (): Promise<Secrets> => ({
      environment: installation.config.environment,
      warn_after_days: warnAfterDays,
      secrets: await listSecrets(installation),
    }),
  );
  registerAdmin(registrar, routes.listApiKeys, reading, () => ({ api_keys: installation.secrets.apiKeys.list() }));
}

function registerChanges(registrar: Registrar): void {
  const { installation } = registrar;
  const { secrets: book } = installation;
  const changing = (action: AuditAction) => ({ action, records: "change" }) as const;

  registerAdmin<unknown, RotateRequest | undefined>(
    registrar,
    routes.rotateSecret,
    changing("rotate_secret"),
    async (call) => {
      const { context } = call;
      const workspace = workspaceIn(call);
      if (workspace !== null)
        return afterKey(installation, call, await rotateWorkerKey(context, installation.accounts, workspace));
      const { overlap_hours: hours } = call.body ?? {};
      const overlap = hours === undefined ? {} : { overlap: hours * hour };
      return answer(book, call, await rotateSecret(context, book, { name: nameIn(call), ...overlap }), 0);
    },
  );

  registerAdmin<unknown, RevokeRequest | undefined>(
    registrar,
    routes.revokeSecret,
    changing("revoke_secret"),
    async (call) => {
      const { context } = call;
      const workspace = workspaceIn(call);
      if (workspace !== null)
        return afterKey(installation, call, await revokeWorkerKey(context, installation.accounts, workspace));
      const ending = new SessionsEnding(context, call.body?.sessions === true ? {} : endingWith(book, nameIn(call)));
      const changed = await revokeSecret(context, book, { name: nameIn(call), within: ending.within });
      return answer(book, call, changed, ending.count);
    },
  );

  registerAdmin(registrar, routes.retireSecret, changing("retire_secret"), async (call) => {
    const { context } = call;
    const workspace = workspaceIn(call);
    if (workspace === null) return answer(book, call, await retireSecret(context, book, { name: nameIn(call) }), 0);
    await useNextWorkerKey(context, installation.accounts, workspace);
    return answer(book, call, { writtenTo: null }, 0, []);
  });

  registerAdmin(registrar, routes.recoverSecret, changing("recover_secret"), (call) => recover(installation, call));
}

/** A lost encryption key leaves ciphertexts that nobody opens: they are given up. Any other lost secret is made anew. */
async function recover(installation: Installation, call: Call): Promise<SecretChanged> {
  const { accounts, secrets: book } = installation;
  const { context } = call;
  const name = nameIn(call);
  let dropped: string[] = [];
  const within = async (tx: Transaction): Promise<void> => {
    if (name !== "encryption-key") return;
    dropped = await dropUnreadable(tx, accounts.keyring);
    await announceChange(accounts, tx);
  };
  const changed = await recoverSecret(context, book, { name, within });
  const steps = dropped.map(
    (workspace) =>
      `Give ${workspace} its credentials again: POST /admin/accounts/${workspace}/rotate, or on the dashboard.`,
  );
  return answer(book, call, changed, 0, [...stepsAfter(book, name), ...steps]);
}

function registerApiKeys(registrar: Registrar): void {
  const { apiKeys } = registrar.installation.secrets;
  registerAdmin<unknown, ApiKeyRequest>(
    registrar,
    routes.createApiKey,
    { action: "create_api_key", records: "change" },
    async ({ context, body, reply }) => {
      const created = await apiKeys.create(context, body);
      reply.code(201);
      return created;
    },
  );
  registerAdmin(registrar, routes.revokeApiKey, { action: "revoke_secret", records: "change" }, ({ context, id }) =>
    apiKeys.revoke(context, id, async (tx) => {
      await endSessions(context, tx, {
        table: "sessions",
        madeWith: (madeWith) => proofsIn(madeWith).includes(`api-key:${id}`),
      });
    }),
  );
}

/** Ends sessions in the transaction of a change, and knows how many there were. */
class SessionsEnding {
  count = 0;
  readonly within: (tx: Transaction) => Promise<void>;

  constructor(context: Context, ending: Ending | null) {
    this.within = async (tx) => {
      if (ending !== null) this.count = await endSessions(context, tx, ending);
    };
  }
}

/** Which sessions end with all values that a secret has had so far; null: none. */
function endingWith(book: SecretBook, name: string): Ending | null {
  const proofs = new Set(book.versions(name).map(({ fingerprint }) => fingerprint));
  const isOf = (prefix: string) => (madeWith: string | null) =>
    proofsIn(madeWith).some((proof) => proof.startsWith(prefix) && proofs.has(proof.slice(prefix.length)));
  switch (name) {
    case "session-secret":
      return {};
    case "api-key":
      return { table: "sessions", madeWith: isOf("value:") };
    case "access-password":
      // Those of an earlier release do not say what they were opened with.
      return { table: "sessions", madeWith: (madeWith) => madeWith === null || isOf("password:")(madeWith) };
    case "admin-key":
      return { table: "admin_sessions", madeWith: (madeWith) => madeWith === null || isOf("value:")(madeWith) };
    default:
      return null;
  }
}

function nameIn(call: Pick<Call, "request">): string {
  return (call.request.params as { name?: string }).name ?? "";
}

/** The workspace of `worker-key:<workspace>`. */
function workspaceIn(call: Pick<Call, "request">): string | null {
  return /^worker-key:([a-z0-9-]{3,64})$/.exec(nameIn(call))?.[1] ?? null;
}

/** A Modal workspace gets its new key by a deploy, which is queued at once. */
async function afterKey(
  installation: Installation,
  call: Call<never, never> | Call,
  made: NewWorkerKey,
): Promise<SecretChanged> {
  const { account, writtenTo } = made;
  const { context } = call;
  const { workspace } = account;
  if (account.kind === "modal") await deployAccount(context, installation.deployer, workspace);
  return answer(installation.secrets, call, { writtenTo }, 0, stepsForWorker(made));
}

function stepsForWorker({ account: { kind, sealed, workspace }, writtenTo }: NewWorkerKey): string[] {
  if (kind === "modal") return ["A deploy that sets the new key is queued; follow it on the dashboard."];
  if (sealed.nextWorkerKey === null)
    return [`Give the worker the key in ${writtenTo}, restart it, and remove the file.`];
  return [
    `Put the key in ${writtenTo} before the one in the worker's key file, each on a line of its own, and restart the worker.`,
    `Take it into use: safelight secrets retire worker-key:${workspace}.`,
    "Remove the former line from the worker's key file, and restart the worker.",
  ];
}

async function answer(
  book: SecretBook,
  call: Pick<Call, "request" | "context">,
  { writtenTo }: Changed,
  sessionsEnded: number,
  steps?: string[],
): Promise<SecretChanged> {
  const name = nameIn(call);
  const secret =
    describeSecret(book, name) ?? (await describeAccountSecrets(call.context)).find((account) => account.name === name);
  if (secret === undefined) throw new SafelightError("not_found", "There is no such secret.");
  return {
    secret,
    written_to: writtenTo,
    sessions_ended: sessionsEnded,
    next_steps: steps ?? stepsAfter(book, name),
  };
}
