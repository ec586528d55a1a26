import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import { sealCredential } from "./account-credentials.ts";
import { checkNewAccount, type NewAccount, refuse } from "./account-input.ts";
import type { AccountRecord } from "./account-record.ts";
import { type AccountRegistry, announceChange, requireAccount } from "./registry.ts";

/**
 * Registers a workspace as `pending`, with a check due at once. For a Modal workspace the worker's key is drawn here and set with its
 * first deploy. Errors: `validation_failed`, also for a workspace that is registered or whose last runs have not ended.
 */
export function addAccount(context: Context, registry: AccountRegistry, input: NewAccount): Promise<AccountRecord> {
  const { baseUrl } = checkNewAccount(input, context.config.workerNetworks);
  const id = context.ids.task();
  const workerKey = input.kind === "modal" ? context.ids.token() : (input.worker_key ?? null);
  const seal = (name: "tokenId" | "tokenSecret" | "workerKey", value: string | null) =>
    sealCredential(registry.keyring, id, name, value);
  return context.database.write(async (tx) => {
    const known = await tx.prepare("SELECT 1 AS one FROM worker_accounts WHERE workspace = ?").get(input.workspace);
    if (known !== undefined) {
      const message = "workspace is registered already, or runs of a deleted account of that name have not ended.";
      refuse([{ field: "workspace", code: "already_registered", message }]);
    }
    const now = context.clock.now();
    await tx
      .prepare(
        `INSERT INTO worker_accounts (id, workspace, label, kind, base_url, allow_plain_http, status, token_id, token_secret,
         worker_key, credentials_changed_at, slots_image, slots_video, min_containers, max_containers, next_check_at,
         created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        id,
        input.workspace,
        input.label.trim(),
        input.kind,
        baseUrl,
        input.allow_plain_http === true ? 1 : 0,
        seal("tokenId", input.token_id ?? null),
        seal("tokenSecret", input.token_secret ?? null),
        seal("workerKey", workerKey),
        now,
        input.slots?.image ?? 1,
        input.slots?.video ?? 1,
        input.min_containers ?? 0,
        input.max_containers ?? 1,
        now,
        now,
        now,
      );
    await appendAudit(context, tx, {
      action: "add_account",
      target: input.workspace,
      outcome: "success",
      details: { id, kind: input.kind, base_url: baseUrl },
    });
    await announceChange(registry, tx);
    return requireAccount(tx.prepare, input.workspace);
  });
}
