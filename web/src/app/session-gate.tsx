import { type FormEvent, useId, useState } from "react";
import { type Secret, submitSecret, useSession } from "../api/session.ts";
import { BrandMark } from "../ui/brand.tsx";
import { FieldError } from "../ui/field-error.tsx";
import { Modal } from "../ui/modal.tsx";
import { strings } from "./strings.ts";

/** Asks for the password or key of an installation that wants one. The page behind keeps everything typed. */
export function SessionGate() {
  const session = useSession();
  if (session.phase !== "asking") return null;
  const { secret, refused, renewal } = session;
  const words = strings.gate[secret];
  return (
    <Modal title={renewal ? strings.gate.ended : words.title}>
      <p>
        {words.lead} {renewal ? strings.gate.endedLead : null}
      </p>
      <SecretForm
        key={secret}
        secret={secret}
        refused={refused}
        button={renewal ? strings.gate.resume : strings.gate.enter}
      />
    </Modal>
  );
}

function SecretForm({ secret, refused, button }: { secret: Secret; refused: boolean; button: string }) {
  const [value, setValue] = useState("");
  const id = useId();
  const words = strings.gate[secret];
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
        <input
          id={id}
          className="input"
          type="password"
          autoComplete={secret === "password" ? "current-password" : "off"}
          value={value}
          aria-invalid={refused ? true : undefined}
          aria-describedby={refused ? `${id}-error` : undefined}
          onChange={(event) => setValue(event.target.value)}
        />
        <FieldError id={`${id}-error`} message={refused ? words.wrong : null} />
      </div>
      <div className="flex items-center justify-between">
        <BrandMark className="size-6 text-text" />
        <button type="submit" className="btn btn-primary">
          {button}
        </button>
      </div>
    </form>
  );
}
