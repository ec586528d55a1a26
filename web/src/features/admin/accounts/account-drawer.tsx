import type { Account } from "@safelight/contract";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { client } from "../../../api/client.ts";
import { describeProblem } from "../../../api/problems.ts";
import { isEndedSession } from "../../../api/session.ts";
import { Drawer } from "../../../ui/drawer.tsx";
import { FieldError } from "../../../ui/field-error.tsx";
import { showToast } from "../../../ui/toasts.tsx";
import { useAccounts } from "../data/accounts.ts";
import { refreshAfterChange } from "../data/refresh.ts";
import { asAdmin } from "../session/admin-session.ts";
import type { View } from "../use-view.ts";
import { type AccountDraft, changeOf, credentialsOf, draftOf, emptyDraft, requestOf, useDraft } from "./draft.ts";
import { type Faults, faultsOf, findCredentialFaults, findFaults } from "./faults.ts";
import {
  AddressField,
  CredentialFields,
  type FormPartProps,
  KindField,
  NumberFields,
  PlainHttpField,
  TextField,
} from "./form-parts.tsx";
import { strings } from "./form-strings.ts";

/** The form that the address says is open. */
export function AccountDrawer({ view }: { view: View }) {
  const { search, change } = view;
  const accounts = useAccounts().data;
  const close = () => change(({ drawer: _drawer, account: _account, ...rest }) => rest);
  if (search.drawer === undefined) return null;
  if (search.drawer === "add") return <AddForm onClose={close} />;
  if (accounts === undefined) return null;
  const account = accounts.find(({ workspace }) => workspace === search.account);
  if (account === undefined) {
    return (
      <Drawer title={search.account} onClose={close}>
        <p className="p-5">{strings.gone}</p>
      </Drawer>
    );
  }
  const Form = search.drawer === "edit" ? EditForm : RotateForm;
  return <Form key={account.workspace} account={account} onClose={close} />;
}

function AddForm({ onClose }: { onClose: () => void }) {
  const { changes, type, forget } = useDraft("add");
  const draft: AccountDraft = { ...emptyDraft, ...changes };
  const sending = useSending(onClose, forget);
  const submit = () =>
    sending.send({
      found: findFaults(draft),
      workspace: draft.workspace.trim(),
      request: () => client.addAccount({ body: requestOf(draft) }),
      done: strings.added(draft.label.trim()),
    });
  const parts: FormPartProps = { draft, faults: sending.faults, onType: type };
  return (
    <FormDrawer
      title={strings.add}
      verb={strings.addAndCheck}
      sending={sending}
      onSubmit={submit}
      onClose={onClose}
      onCancel={forget}
    >
      <KindField {...parts} />
      <LabelField {...parts} />
      <TextField
        label={strings.workspace}
        hint={strings.workspaceHint}
        mono
        value={draft.workspace}
        fault={sending.faults.workspace}
        onChange={(workspace) => type({ workspace })}
      />
      <AddressField {...parts} />
      <PlainHttpField {...parts} />
      <CredentialFields {...parts} />
      <NumberFields {...parts} />
    </FormDrawer>
  );
}

function EditForm({ account, onClose }: { account: Account; onClose: () => void }) {
  const { changes, type, forget } = useDraft(`edit ${account.workspace}`);
  const draft = draftOf(account, changes);
  const sending = useSending(onClose, forget);
  const submit = () => {
    const change = changeOf(account, changes);
    if (change === null) {
      forget();
      return onClose();
    }
    const path = { workspace: account.workspace };
    return sending.send({
      found: {},
      workspace: account.workspace,
      request: () => client.updateAccount({ path, body: change }),
      done: strings.saved(draft.label.trim()),
    });
  };
  const parts: FormPartProps = { draft, faults: sending.faults, onType: type };
  return (
    <FormDrawer
      title={strings.edit(account.label)}
      verb={strings.save}
      sending={sending}
      onSubmit={submit}
      onClose={onClose}
      onCancel={forget}
    >
      <LabelField {...parts} />
      <AddressField {...parts} />
      <PlainHttpField {...parts} />
      <NumberFields {...parts} />
    </FormDrawer>
  );
}

function RotateForm({ account, onClose }: { account: Account; onClose: () => void }) {
  const { changes, type, forget } = useDraft(`rotate ${account.workspace}`);
  const { kind, label, workspace } = account;
  const sending = useSending(onClose, forget);
  const submit = () =>
    sending.send({
      found: findCredentialFaults(kind, changes),
      workspace,
      request: () => client.rotateAccount({ path: { workspace }, body: credentialsOf(kind, changes) }),
      done: strings.replaced(label),
    });
  return (
    <FormDrawer
      title={strings.rotate(label)}
      verb={strings.replace}
      sending={sending}
      onSubmit={submit}
      onClose={onClose}
      onCancel={forget}
    >
      <p className="text-soft">{strings.rotateText}</p>
      <CredentialFields draft={draftOf(account, changes)} faults={sending.faults} onType={type} />
    </FormDrawer>
  );
}

function LabelField({ draft, faults, onType }: FormPartProps) {
  return (
    <TextField
      label={strings.label}
      hint={strings.labelHint}
      value={draft.label}
      fault={faults.label}
      onChange={(label) => onType({ label })}
    />
  );
}

interface FormDrawerProps {
  title: string;
  verb: string;
  sending: ReturnType<typeof useSending>;
  onSubmit: () => void;
  /** Leaves the form open to be gone on with. */
  onClose: () => void;
  /** Gives up what was typed, before it closes. */
  onCancel: () => void;
  children: ReactNode;
}

function FormDrawer({ title, verb, sending, onSubmit, onClose, onCancel, children }: FormDrawerProps) {
  const form = useRef<HTMLFormElement>(null);
  const { attempt } = sending;
  useLayoutEffect(() => {
    // The dialog looks for it when it opens; on touch the keyboard would cover what is asked.
    const first = form.current?.querySelector("input:not([type=radio], [type=checkbox])");
    if (!window.matchMedia("(pointer: coarse)").matches) first?.setAttribute("autofocus", "");
  }, []);
  useEffect(() => {
    if (attempt > 0) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [attempt]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!sending.busy) onSubmit();
  };
  return (
    <Drawer title={title} onClose={onClose}>
      <form ref={form} className="admin-form" onSubmit={submit} noValidate>
        <div className="admin-form-body">
          {children}
          <div role="alert">
            <FieldError message={sending.refusal} />
          </div>
        </div>
        <div className="admin-form-foot">
          <button
            type="button"
            className="btn btn-quiet"
            onClick={() => {
              onCancel();
              onClose();
            }}
          >
            {strings.cancel}
          </button>
          <button type="submit" className="btn btn-primary" aria-disabled={sending.busy}>
            {sending.busy ? strings.sending : verb}
          </button>
        </div>
      </form>
    </Drawer>
  );
}

/** Fields beside which a refusal can stand; one of any other field is told below the form. */
const fieldsOfForms = new Set([
  "label",
  "workspace",
  "base_url",
  "worker_key",
  "token_id",
  "token_secret",
  "slots.image",
  "slots.video",
  "min_containers",
  "max_containers",
  "allow_plain_http",
]);

interface Wanted {
  /** What the page itself found wrong; with any of it nothing is sent. */
  found: Faults;
  workspace: string;
  request: () => Promise<unknown>;
  /** What to say when it went well. */
  done: string;
}

/** Sends a form once at a time; refusals stand by their fields, all others below the form. */
function useSending(onClose: () => void, forget: () => void) {
  const queryClient = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<string | null>(null);
  /** Counts the tries that were refused, so that each leads the focus to the field at fault. */
  const [attempt, setAttempt] = useState(0);
  const refuse = (next: Faults, text: string | null) => {
    setFaults(next);
    setRefusal(text);
    setAttempt((before) => before + 1);
  };
  const run = async ({ workspace, request, done }: Wanted) => {
    setBusy(true);
    try {
      await asAdmin(request);
      forget();
      onClose();
      showToast({ text: done });
      refreshAfterChange(queryClient);
    } catch (error) {
      // The log-in stands in the form's place; what was typed waits for it.
      if (isEndedSession(error)) return;
      const { fields, detail, action } = describeProblem(error);
      const isShown = fields.length > 0 && fields.every(({ field }) => fieldsOfForms.has(field));
      refuse(faultsOf(fields, workspace), isShown ? null : [detail, action].filter(Boolean).join(" "));
    } finally {
      setBusy(false);
    }
  };
  const send = (wanted: Wanted) => {
    if (Object.keys(wanted.found).length > 0) return refuse(wanted.found, null);
    setFaults({});
    setRefusal(null);
    void run(wanted);
  };
  return { busy, faults, refusal, attempt, send };
}
