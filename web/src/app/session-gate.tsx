import "./gate.css";
import { Eye, EyeOff } from "lucide-react";
import { type FormEvent, useId, useState } from "react";
import { describeProblem } from "../api/problems.ts";
import { type Asking, submitSecret, useSession } from "../api/session.ts";
import { BrandMark } from "../ui/brand.tsx";
import { FieldError } from "../ui/field-error.tsx";
import { Modal } from "../ui/modal.tsx";
import { strings } from "./strings.ts";

/** Asks for the password or key of an installation that wants one. The page behind keeps everything typed. */
export function SessionGate() {
  const session = useSession();
  if (session.phase !== "asking") return null;
  const { secret, renewal } = session;
  const words = strings.gate[secret];
  return (
    <Modal title={renewal ? strings.gate.ended : words.title} className={renewal ? "" : "gate"}>
      {renewal ? null : (
        <div className="gate-mark">
          <BrandMark className="size-14 text-text" />
        </div>
      )}
      <p>
        {words.lead} {renewal ? strings.gate.endedLead : null}
      </p>
      <SecretForm key={secret} asking={session} />
    </Modal>
  );
}

function SecretForm({ asking }: { asking: Asking }) {
  const { secret, refused, checking, renewal } = asking;
  const [value, setValue] = useState("");
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  const id = useId();
  const words = strings.gate[secret];
  const fault = refused ? words.wrong : troubleWords(asking.trouble);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (value !== "") submitSecret(value);
  };
  return (
    <form onSubmit={submit} className="mt-4 grid gap-5">
      <div className="field">
        <label className="field-label" htmlFor={id}>
          {words.field}
        </label>
        <div className="gate-secret">
          <input
            id={id}
            className="input"
            type={shown ? "text" : "password"}
            autoComplete={secret === "password" ? "current-password" : "off"}
            autoCapitalize="none"
            spellCheck={false}
            value={value}
            aria-invalid={refused ? true : undefined}
            aria-describedby={fault === null ? undefined : `${id}-error`}
            onChange={(event) => setValue(event.target.value)}
          />
          <button
            type="button"
            className="icon-btn"
            aria-label={strings.gate.show}
            title={strings.gate.show}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          >
            <Icon className="icon" aria-hidden="true" />
          </button>
        </div>
        <div role="alert">
          <FieldError id={`${id}-error`} message={fault} />
        </div>
      </div>
      <button type="submit" className="btn btn-primary btn-large" aria-disabled={checking || undefined}>
        {checking ? strings.gate.checking : renewal ? strings.gate.resume : strings.gate.enter}
      </button>
    </form>
  );
}

function troubleWords(trouble: unknown): string | null {
  if (trouble === null) return null;
  const { detail, action } = describeProblem(trouble);
  return [detail, action].filter(Boolean).join(" ");
}
