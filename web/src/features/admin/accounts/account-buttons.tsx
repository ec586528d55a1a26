import type { Account } from "@safelight/contract";
import {
  Activity,
  CloudUpload,
  Ellipsis,
  History,
  KeyRound,
  Pencil,
  Power,
  PowerOff,
  Trash2,
  Waves,
} from "lucide-react";
import { Menu, type MenuItem } from "../../../ui/menu.tsx";
import { strings } from "./strings.ts";
import type { AccountActions } from "./use-account-actions.ts";

interface AccountButtonsProps {
  account: Account;
  actions: AccountActions;
  onForm: (drawer: "edit" | "rotate", account: Account) => void;
}

/** The likeliest next step as a button, everything else in a menu. */
export function AccountButtons({ account, actions, onForm }: AccountButtonsProps) {
  const busy = actions.isBusy(account.workspace);
  const next = nextStep(account, actions);
  return (
    <span className="admin-acts">
      <button
        type="button"
        className={`btn btn-small ${next.stands ? "" : "btn-quiet"}`}
        aria-label={strings.about(next.label, account.workspace)}
        aria-disabled={busy}
        onClick={() => {
          if (!busy) next.run(account);
        }}
      >
        {next.label}
      </button>
      <Menu
        label={strings.more(account.workspace)}
        groups={menuOf(account, actions, onForm)}
        className="icon-btn icon-btn-small"
      >
        <Ellipsis className="icon" aria-hidden="true" />
      </Menu>
    </span>
  );
}

interface Step {
  label: string;
  /** Whether it is drawn as what should be done now. */
  stands: boolean;
  run: (account: Account) => void;
}

function nextStep({ status, draining, kind, base_url }: Account, actions: AccountActions): Step {
  if (status === "disabled") return { label: strings.enable, stands: false, run: actions.enable };
  if (status === "ready" && draining)
    return { label: strings.resume, stands: false, run: (account) => actions.drain(account, false) };
  if (status === "ready")
    return { label: strings.drain, stands: false, run: (account) => actions.drain(account, true) };
  const wantsDeploy = kind === "modal" && (status === "failed" || base_url === null);
  if (wantsDeploy) return { label: strings.deploy, stands: true, run: actions.deploy };
  return { label: strings.check, stands: status === "failed", run: actions.check };
}

function menuOf(account: Account, actions: AccountActions, onForm: AccountButtonsProps["onForm"]): MenuItem[][] {
  const notModal = account.kind === "modal" ? null : strings.onlyModal;
  const { status, draining } = account;
  return [
    [
      { label: strings.edit, icon: Pencil, run: () => onForm("edit", account) },
      { label: strings.rotate, icon: KeyRound, run: () => onForm("rotate", account) },
      { label: strings.check, icon: Activity, run: () => actions.check(account) },
    ],
    [
      { label: strings.deploy, icon: CloudUpload, disabledReason: notModal, run: () => actions.deploy(account) },
      { label: strings.rollBack, icon: History, disabledReason: notModal, run: () => actions.rollBack(account) },
    ],
    [
      draining
        ? { label: strings.resume, icon: Waves, run: () => actions.drain(account, false) }
        : { label: strings.drain, icon: Waves, run: () => actions.drain(account, true) },
      status === "disabled"
        ? { label: strings.enable, icon: Power, run: () => actions.enable(account) }
        : { label: strings.disable, icon: PowerOff, run: () => actions.disable(account) },
    ],
    [{ label: strings.remove, icon: Trash2, danger: true, run: () => actions.remove(account) }],
  ];
}
