import type { Account } from "@safelight/contract";
import { useCallback, useMemo, useState } from "react";
import { client } from "../../../api/client.ts";
import { describeProblem } from "../../../api/problems.ts";
import { queryClient } from "../../../api/query-client.ts";
import { confirmAction } from "../../../ui/confirm.tsx";
import { showToast } from "../../../ui/toasts.tsx";
import { forgetAccount } from "../data/accounts.ts";
import { refreshAfterChange } from "../data/refresh.ts";
import { asAdmin } from "../session/admin-session.ts";
import { checkWords } from "./check-words.ts";
import { askHowToLeave } from "./leave-question.ts";
import { strings } from "./strings.ts";

export interface AccountActions {
  check: (account: Account) => void;
  drain: (account: Account, draining: boolean) => void;
  enable: (account: Account) => void;
  disable: (account: Account) => void;
  remove: (account: Account) => void;
  deploy: (account: Account) => void;
  rollBack: (account: Account) => void;
  /** Whether a request about the account is under way. */
  isBusy: (workspace: string) => boolean;
}

type Run = (account: Account, request: () => Promise<unknown>, done?: () => Promise<void> | void) => Promise<void>;

/** What the buttons of a row do. Every change is asked for once, told of, and followed by a look at the account. */
export function useAccountActions(): AccountActions {
  const { run, isBusy } = useRunning();
  return useMemo(() => ({ ...switches(run), ...leaving(run), ...deploying(run), isBusy }), [run, isBusy]);
}

function useRunning(): { run: Run; isBusy: (workspace: string) => boolean } {
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const run = useCallback<Run>(async (account, request, done) => {
    setBusy((known) => new Set([...known, account.workspace]));
    try {
      await asAdmin(request);
      await done?.();
    } catch (error) {
      tellRefusal(strings.refused(account.label), error);
    }
    setBusy((known) => new Set([...known].filter((workspace) => workspace !== account.workspace)));
    refreshAfterChange(queryClient);
  }, []);
  return { run, isBusy: useCallback((workspace: string) => busy.has(workspace), [busy]) };
}

function switches(run: Run): Pick<AccountActions, "check" | "drain" | "enable"> {
  const drain = (account: Account, draining: boolean) => {
    const path = { workspace: account.workspace };
    const tell = () =>
      void showToast({
        text: draining ? strings.drained(account.label) : strings.resumed(account.label),
        ...(draining ? { action: { label: strings.undo, run: () => drain(account, false) } } : {}),
      });
    void run(account, () => client.drainAccount({ path, body: { draining } }), tell);
  };
  return {
    drain,
    check: (account) =>
      void run(account, async () => {
        const found = await client.checkAccount({ path: { workspace: account.workspace } });
        if (found.last_health_status === "ok") showToast({ text: strings.checked(account.label) });
        else
          showToast({
            tone: "error",
            text: strings.checkFailed(account.label),
            detail: checkWords(found.last_error_code, found.last_error),
          });
      }),
    enable: (account) =>
      void run(
        account,
        () => client.enableAccount({ path: { workspace: account.workspace } }),
        () => void showToast({ text: strings.enabled(account.label) }),
      ),
  };
}

function leaving(run: Run): Pick<AccountActions, "disable" | "remove"> {
  const ask = async (account: Account, kind: "disable" | "delete") => {
    const choice = await askHowToLeave({ account, kind });
    if (choice === null) return;
    const request = { path: { workspace: account.workspace }, query: choice.force ? { force: "1" as const } : {} };
    await run(
      account,
      () => (kind === "delete" ? client.deleteAccount(request) : client.disableAccount(request)),
      async () => {
        if (kind === "delete") await forgetAccount(queryClient, account.workspace);
        showToast({ text: kind === "delete" ? strings.deleted(account.label) : strings.disabledNow(account.label) });
      },
    );
  };
  return {
    disable: (account) => void ask(account, "disable"),
    remove: (account) => void ask(account, "delete"),
  };
}

function deploying(run: Run): Pick<AccountActions, "deploy" | "rollBack"> {
  const rollBack = async (account: Account) => {
    const { label, workspace } = account;
    const agreed = await confirmAction({
      title: strings.rollBackTitle(label),
      text: strings.rollBackText(workspace),
      confirm: strings.rollBack,
      danger: true,
    });
    if (!agreed) return;
    await run(
      account,
      () => client.rollbackAccount({ path: { workspace } }),
      () => void showToast({ text: strings.rollingBack(label) }),
    );
  };
  return {
    rollBack: (account) => void rollBack(account),
    deploy: (account) =>
      void run(
        account,
        () => client.deployAccount({ path: { workspace: account.workspace } }),
        () => void showToast({ text: strings.deploying(account.label) }),
      ),
  };
}

export function tellRefusal(text: string, error: unknown): void {
  const { detail, action, said, fields } = describeProblem(error);
  // Nothing was typed that could be marked: of a field at fault only the server's own sentence tells.
  const parts = fields.length > 0 ? [detail, said] : [detail, action];
  showToast({ tone: "error", text, detail: parts.filter(Boolean).join(" ") });
}
