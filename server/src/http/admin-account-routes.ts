import {
  type AccountAdded,
  type AccountChange,
  type AccountCredentials,
  type AccountRequest,
  type AuditAction,
  type DrainRequest,
  type ForceQuery,
  routes,
} from "@safelight/contract";
import type { AccountChange as Change, NewAccount, NewCredentials } from "../worker-accounts/account-input.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import {
  disableAccount,
  drainAccount,
  enableAccount,
  rotateCredentials,
  updateAccount,
} from "../worker-accounts/change-account.ts";
import { checkAccount } from "../worker-accounts/check-account.ts";
import { deleteAccount } from "../worker-accounts/delete-account.ts";
import {
  describeAccount,
  describeState,
  getAccount,
  getAccountHealth,
  listAccounts,
} from "../worker-accounts/describe-account.ts";
import type { Registrar } from "./register.ts";
import { registerAdmin, workspaceOf } from "./register-admin.ts";

export function registerAdminAccountRoutes(registrar: Registrar): void {
  registerReads(registrar);
  registerChanges(registrar);
  registerSwitches(registrar);
}

function registerReads(registrar: Registrar): void {
  const { accounts } = registrar.installation;
  const reading = { action: "list_accounts", records: "read" } as const;
  registerAdmin(registrar, routes.listAccounts, reading, async ({ context }) => ({
    accounts: await listAccounts(context, accounts),
  }));
  registerAdmin(registrar, routes.getAccount, reading, (call) => getAccount(call.context, accounts, workspaceOf(call)));
  registerAdmin(registrar, routes.getAccountHealth, reading, (call) =>
    getAccountHealth(call.context, workspaceOf(call)),
  );
}

function registerChanges(registrar: Registrar): void {
  const { accounts } = registrar.installation;
  const changing = (action: AuditAction) => ({ action, records: "change" }) as const;

  registerAdmin<unknown, AccountRequest>(
    registrar,
    routes.addAccount,
    changing("add_account"),
    async ({ context, body, reply }): Promise<AccountAdded> => {
      const { id, workspace } = await addAccount(context, accounts, body as NewAccount);
      reply.code(201).header("location", `/admin/accounts/${workspace}`);
      const message = "The workspace is registered and is being checked.";
      return { id, workspace, status: "pending", message };
    },
  );

  registerAdmin<unknown, AccountChange>(registrar, routes.updateAccount, changing("update_account"), async (call) =>
    describeAccount(
      call.context,
      accounts,
      await updateAccount(call.context, accounts, workspaceOf(call), call.body as Change),
    ),
  );

  registerAdmin<unknown, AccountCredentials>(registrar, routes.rotateAccount, changing("rotate_secret"), async (call) =>
    describeState(await rotateCredentials(call.context, accounts, workspaceOf(call), call.body as NewCredentials)),
  );

  registerAdmin<ForceQuery>(registrar, routes.deleteAccount, changing("delete_account"), async (call) => {
    const { id } = await deleteAccount(call.context, accounts, workspaceOf(call), isForced(call.query));
    return { deleted: true, id };
  });
}

function registerSwitches(registrar: Registrar): void {
  const { accounts } = registrar.installation;
  const changing = (action: AuditAction) => ({ action, records: "change" }) as const;

  registerAdmin(registrar, routes.checkAccount, changing("check_account"), async (call) => {
    await checkAccount(call.context, accounts, workspaceOf(call), "by_hand");
    return getAccountHealth(call.context, workspaceOf(call));
  });

  registerAdmin(registrar, routes.enableAccount, changing("enable_account"), async (call) =>
    describeState(await enableAccount(call.context, accounts, workspaceOf(call))),
  );

  registerAdmin<ForceQuery>(registrar, routes.disableAccount, changing("disable_account"), async (call) =>
    describeState(await disableAccount(call.context, accounts, workspaceOf(call), isForced(call.query))),
  );

  registerAdmin<unknown, DrainRequest | undefined>(
    registrar,
    routes.drainAccount,
    changing("drain_account"),
    async (call) =>
      describeState(await drainAccount(call.context, accounts, workspaceOf(call), call.body?.draining ?? true)),
  );
}

/** `?force` says it as well as `?force=1`. */
function isForced({ force = "0" }: ForceQuery): boolean {
  return force !== "0";
}
