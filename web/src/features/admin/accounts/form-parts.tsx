import { Eye, EyeOff } from "lucide-react";
import { useId, useState } from "react";
import { FieldError } from "../../../ui/field-error.tsx";
import { Segments } from "../../../ui/segments.tsx";
import { SliderRow } from "../../../ui/slider-row.tsx";
import type { AccountDraft, Changes } from "./draft.ts";
import type { Faults } from "./faults.ts";
import { strings } from "./form-strings.ts";
import { kindNames } from "./strings.ts";

export interface FormPartProps {
  draft: AccountDraft;
  faults: Faults;
  onType: (changes: Changes) => void;
}

interface TextFieldProps {
  label: string;
  value: string;
  hint?: string | null;
  fault: string | undefined;
  mono?: boolean;
  onChange: (value: string) => void;
}

export function TextField({ label, value, hint = null, fault, mono = false, onChange }: TextFieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <input
        id={id}
        className={`input ${mono ? "mono" : ""}`}
        autoComplete="off"
        autoCapitalize={mono ? "none" : undefined}
        spellCheck={false}
        value={value}
        aria-invalid={fault === undefined ? undefined : true}
        aria-describedby={fault !== undefined || hint !== null ? `${id}-note` : undefined}
        onChange={(event) => onChange(event.target.value)}
      />
      <Note id={`${id}-note`} fault={fault} hint={hint} />
    </div>
  );
}

/** A field for what nobody else shall read: hidden while it is typed, unless it is asked to be shown. */
export function SecretField({ label, value, hint = null, fault, onChange }: TextFieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <div className="admin-secret">
        <input
          id={id}
          className="input mono"
          type={shown ? "text" : "password"}
          autoComplete="new-password"
          spellCheck={false}
          value={value}
          aria-invalid={fault === undefined ? undefined : true}
          aria-describedby={fault !== undefined || hint !== null ? `${id}-note` : undefined}
          onChange={(event) => onChange(event.target.value)}
        />
        <button
          type="button"
          className="icon-btn"
          aria-pressed={shown}
          aria-label={strings.show(label)}
          title={strings.show(label)}
          onClick={() => setShown(!shown)}
        >
          <Icon className="icon" aria-hidden="true" />
        </button>
      </div>
      <Note id={`${id}-note`} fault={fault} hint={hint} />
    </div>
  );
}

function Note({ id, fault, hint }: { id: string; fault: string | undefined; hint: string | null }) {
  if (fault !== undefined) return <FieldError id={id} message={fault} />;
  return hint === null ? null : (
    <p className="hint" id={id}>
      {hint}
    </p>
  );
}

export function KindField({ draft, onType }: FormPartProps) {
  return (
    <Segments
      label={strings.kind}
      options={(["modal", "http"] as const).map((kind) => ({ value: kind, label: kindNames[kind] }))}
      value={draft.kind}
      onChange={(kind) => onType({ kind: kind === "http" ? "http" : "modal" })}
    />
  );
}

/** Where the worker is; only workers of the kind http have an address of their own. */
export function AddressField({ draft, faults, onType }: FormPartProps) {
  if (draft.kind !== "http") return null;
  return (
    <TextField
      label={strings.address}
      hint={strings.addressHint}
      mono
      value={draft.base_url}
      fault={faults.base_url}
      onChange={(base_url) => onType({ base_url })}
    />
  );
}

/** What the worker, or Modal, is asked with. */
export function CredentialFields({ draft, faults, onType }: FormPartProps) {
  if (draft.kind === "http") {
    return (
      <SecretField
        label={strings.workerKey}
        hint={strings.secretHint}
        value={draft.worker_key}
        fault={faults.worker_key}
        onChange={(worker_key) => onType({ worker_key })}
      />
    );
  }
  return (
    <>
      <SecretField
        label={strings.tokenId}
        value={draft.token_id}
        fault={faults.token_id}
        onChange={(token_id) => onType({ token_id })}
      />
      <SecretField
        label={strings.tokenSecret}
        hint={strings.secretHint}
        value={draft.token_secret}
        fault={faults.token_secret}
        onChange={(token_secret) => onType({ token_secret })}
      />
    </>
  );
}

const numberFields = {
  video: { path: "slots.video", usual: 1, kinds: ["modal", "http"] },
  image: { path: "slots.image", usual: 1, kinds: ["modal", "http"] },
  least: { path: "min_containers", usual: 0, kinds: ["modal"] },
  most: { path: "max_containers", usual: 1, kinds: ["modal"] },
} as const;
const keys = { video: "video", image: "image", least: "min_containers", most: "max_containers" } as const;
/** The slider goes as far as is usual; the number beside it takes anything the server does. */
const usualMost = 8;

export function NumberFields({ draft, faults, onType }: FormPartProps) {
  const names = Object.keys(numberFields) as (keyof typeof numberFields)[];
  return names
    .filter((name) => (numberFields[name].kinds as readonly string[]).includes(draft.kind))
    .map((name) => (
      <SliderRow
        key={name}
        label={strings[name]}
        numberLabel={strings.number(strings[name])}
        value={draft[keys[name]]}
        minimum={0}
        maximum={Math.max(usualMost, draft[keys[name]])}
        step={1}
        defaultValue={numberFields[name].usual}
        integer
        error={faults[numberFields[name].path] ?? null}
        onChange={(value) => onType({ [keys[name]]: value })}
      />
    ));
}

export function PlainHttpField({ draft, faults, onType }: FormPartProps) {
  if (draft.kind !== "http") return null;
  return (
    <div className="field">
      <label className="check">
        <input
          type="checkbox"
          checked={draft.allow_plain_http}
          onChange={(event) => onType({ allow_plain_http: event.target.checked })}
        />
        <span className="text-label text-soft">{strings.plainHttp}</span>
      </label>
      <FieldError message={faults.allow_plain_http} />
    </div>
  );
}
