import type { Account } from "@safelight/contract";
import { useQueryClient } from "@tanstack/react-query";
import { CloudUpload, Plus, ServerOff } from "lucide-react";
import { useCallback } from "react";
import { client } from "../../../api/client.ts";
import { confirmAction } from "../../../ui/confirm.tsx";
import { EmptyState } from "../../../ui/empty-state.tsx";
import { useNow } from "../../../ui/time.ts";
import { showToast } from "../../../ui/toasts.tsx";
import { useAccounts } from "../data/accounts.ts";
import { refreshAfterChange } from "../data/refresh.ts";
import { Loaded } from "../loaded.tsx";
import { ScrollBox } from "../scroll-box.tsx";
import { SectionHead } from "../section-head.tsx";
import { asAdmin } from "../session/admin-session.ts";
import { type Column, TableHead } from "../table-head.tsx";
import type { View } from "../use-view.ts";
import { AccountRow } from "./account-row.tsx";
import { strings } from "./strings.ts";
import { tellRefusal, useAccountActions } from "./use-account-actions.ts";

/** Ages are counted on this often, in milliseconds. */
const tick = 1_000;

/** The worker accounts, live, with everything that can be done to them. */
export function AccountsSection({ view }: { view: View }) {
  const accounts = useAccounts();
  const { change } = view;
  const add = useCallback(() => change(({ account: _account, ...rest }) => ({ ...rest, drawer: "add" })), [change]);
  return (
    <section id="accounts" aria-labelledby="accounts-title" className="admin-section">
      <SectionHead id="accounts-title" title={strings.title} note={strings.every}>
        <DeployAll accounts={accounts.data ?? []} />
        <button type="button" className="btn btn-small" aria-label={strings.addAccount} onClick={add}>
          <Plus className="icon" aria-hidden="true" />
          {strings.add}
        </button>
      </SectionHead>
      <Loaded query={accounts} loading={strings.loading} failed={strings.failed}>
        {(list) => (list.length === 0 ? <NoAccounts onAdd={add} /> : <AccountsTable accounts={list} view={view} />)}
      </Loaded>
    </section>
  );
}

function NoAccounts({ onAdd }: { onAdd: () => void }) {
  return (
    <EmptyState icon={ServerOff} level={3} title={strings.emptyTitle} text={strings.emptyText}>
      <button type="button" className="btn btn-primary" onClick={onAdd}>
        {strings.addAccount}
      </button>
    </EmptyState>
  );
}

function accountColumns(): readonly Column[] {
  const { columns } = strings;
  return [
    { name: columns.state },
    { name: columns.account },
    { name: columns.check },
    { name: columns.answer },
    { name: columns.slots },
    { name: columns.models, className: "admin-models" },
    { name: columns.runs, className: "admin-right admin-used" },
    { name: columns.used, className: "admin-used" },
    { name: columns.actions, isSilent: true },
  ];
}

function AccountsTable({ accounts, view }: { accounts: readonly Account[]; view: View }) {
  const now = useNow(tick);
  const actions = useAccountActions();
  const { isOpen, toggle, change } = view;
  const onForm = useCallback(
    (drawer: "edit" | "rotate", { workspace }: Account) =>
      change((before) => ({ ...before, drawer, account: workspace })),
    [change],
  );
  return (
    <ScrollBox label={strings.table}>
      <table className="admin-table admin-accounts">
        <TableHead columns={accountColumns()} />
        {accounts.map((account) => (
          <AccountRow
            key={account.id}
            account={account}
            now={now}
            open={isOpen(`a.${account.workspace}`)}
            actions={actions}
            onToggle={toggle}
            onForm={onForm}
          />
        ))}
      </table>
    </ScrollBox>
  );
}

function DeployAll({ accounts }: { accounts: readonly Account[] }) {
  const queryClient = useQueryClient();
  if (!accounts.some(({ kind, status }) => kind === "modal" && status !== "disabled")) return null;
  const deploy = async () => {
    const { deployAllTitle: title, deployAllText: text, deployAll: confirm } = strings;
    if (!(await confirmAction({ title, text, confirm }))) return;
    try {
      const { deploying } = await asAdmin(() => client.deployAll());
      showToast({ text: strings.deployingAll(deploying) });
    } catch (error) {
      tellRefusal(strings.allRefused, error);
    }
    refreshAfterChange(queryClient);
  };
  return (
    <button type="button" className="btn btn-quiet btn-small" onClick={() => void deploy()}>
      <CloudUpload className="icon" aria-hidden="true" />
      {strings.deployAll}
    </button>
  );
}
