import type { Account } from "@safelight/contract";
import { ChevronDown, TriangleAlert } from "lucide-react";
import { memo } from "react";
import { formatNumber } from "../../../ui/language.ts";
import { duration } from "../../../ui/time.ts";
import { type Checks, checksOf, useAccountHealth } from "../data/accounts.ts";
import { AccountButtons } from "./account-buttons.tsx";
import { AccountDetails } from "./account-details.tsx";
import { Slots } from "./slots.tsx";
import { Spark } from "./spark.tsx";
import { marks, noteOf, standingOf } from "./standing.ts";
import { kindNames, strings } from "./strings.ts";
import type { AccountActions } from "./use-account-actions.ts";

export interface AccountRowProps {
  account: Account;
  now: number;
  open: boolean;
  actions: AccountActions;
  onToggle: (row: string) => void;
  onForm: (drawer: "edit" | "rotate", account: Account) => void;
}

/** An account as a row, with the reason it is not simply ready below, and its details when it is opened. */
export const AccountRow = memo(function AccountRow(props: AccountRowProps) {
  const { account, open, onToggle } = props;
  const note = noteOf(account);
  const health = useAccountHealth(account.workspace, open);
  const detailsId = `details-${account.workspace}`;
  return (
    <tbody className="admin-account">
      <tr>
        <td className="admin-state">
          <State account={account} />
        </td>
        <th scope="row" className="admin-name">
          <button
            type="button"
            className="admin-open"
            aria-expanded={open}
            aria-controls={open ? detailsId : undefined}
            onClick={() => onToggle(`a.${account.workspace}`)}
          >
            <b>{account.label}</b>
            <ChevronDown className="icon icon-small" aria-hidden="true" />
          </button>
          <span className="admin-sub">
            <span className="mono">{account.workspace}</span> · {kindNames[account.kind]}
          </span>
        </th>
        <Figures {...props} checks={checksOf(account, health)} />
        <td className="admin-act">
          <AccountButtons {...props} />
        </td>
      </tr>
      {note === null ? null : (
        <tr className="admin-note">
          <td colSpan={9}>
            {note.bad ? (
              <span className="field-error">
                <TriangleAlert className="icon" aria-hidden="true" />
                {note.text}
              </span>
            ) : (
              <span className="text-label text-soft">{note.text}</span>
            )}
          </td>
        </tr>
      )}
      {open ? (
        <tr className="admin-more">
          <td colSpan={9}>
            <AccountDetails id={detailsId} account={account} health={health} />
          </td>
        </tr>
      ) : null}
    </tbody>
  );
});

function State({ account }: { account: Account }) {
  const standing = standingOf(account);
  return <span className={`state ${marks[standing]}`}>{strings.states[standing]}</span>;
}

function Figures({ account, now, checks }: AccountRowProps & { checks: Checks }) {
  const offered = account.models.filter((model) => model.offered).map(({ id }) => id);
  const answered = account.last_health_status === "ok" && account.latency_ms !== null;
  return (
    <>
      <td className="num admin-checked">{agoText(account.last_health_at, now)}</td>
      <td className="admin-answer">
        <span>
          <span className="num">{answered ? strings.milliseconds(account.latency_ms ?? 0) : "–"}</span>
          <Spark checks={checks} />
        </span>
      </td>
      <td className="admin-slotcell">
        <Slots account={account} />
      </td>
      <td className="admin-models text-soft">{offered.length === 0 ? "–" : offered.join(", ")}</td>
      <td className="admin-right admin-used num">{formatNumber(account.use_count)}</td>
      <td className="admin-used num text-soft">{agoText(account.last_used, now)}</td>
    </>
  );
}

/** "4 s ago"; a moment a little ahead of this machine's clock counts as now. */
function agoText(iso: string | null, now: number): string {
  if (iso === null) return strings.never;
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  return strings.ago(
    duration(seconds < 3600 ? (seconds < 60 ? seconds : seconds - (seconds % 60)) : seconds - (seconds % 3600)),
  );
}
