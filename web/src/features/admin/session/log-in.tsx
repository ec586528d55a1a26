import { Eye, EyeOff } from "lucide-react";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { describeProblem } from "../../../api/problems.ts";
import { BrandMark } from "../../../ui/brand.tsx";
import { FieldError } from "../../../ui/field-error.tsx";
import { usePageTitle } from "../../../ui/page-title.ts";
import { Link } from "../../../ui/router.tsx";
import { signInWith } from "./admin-session.ts";
import { strings } from "./strings.ts";

/** Asks for the admin key. `ended` says that there was a session a moment ago. */
export function LogIn({ ended }: { ended: boolean }) {
  usePageTitle(strings.title);
  return (
    <main id="main" className="admin admin-gate">
      <div className="admin-gate-card">
        <div className="admin-gate-mark">
          <BrandMark className="size-12 text-text" />
        </div>
        <h1>{strings.title}</h1>
        <p className="admin-gate-lead" role={ended ? "status" : undefined}>
          {ended ? strings.ended : strings.lead}
        </p>
        <KeyForm />
        <Link to="/" className="btn btn-quiet">
          {strings.studio}
        </Link>
      </div>
    </main>
  );
}

function KeyForm() {
  const [key, setKey] = useState("");
  const [shown, setShown] = useState(false);
  const { fault, busy, submit } = useSignIn(key, setKey);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    if (fault !== null) field.current?.focus();
  }, [fault]);
  const Icon = shown ? EyeOff : Eye;
  return (
    <form className="grid gap-5" onSubmit={submit} noValidate>
      <div className="field">
        <label className="field-label" htmlFor={id}>
          {strings.field}
        </label>
        <div className="admin-secret">
          <input
            ref={field}
            id={id}
            className="input mono"
            type={shown ? "text" : "password"}
            autoComplete="off"
            spellCheck={false}
            value={key}
            aria-invalid={fault === null ? undefined : true}
            aria-describedby={fault === null ? `${id}-hint` : `${id}-error ${id}-hint`}
            onChange={(event) => setKey(event.target.value)}
          />
          <button
            type="button"
            className="icon-btn"
            aria-pressed={shown}
            aria-label={strings.show}
            title={strings.show}
            onClick={() => setShown(!shown)}
          >
            <Icon className="icon" aria-hidden="true" />
          </button>
        </div>
        <div role="alert">
          <FieldError id={`${id}-error`} message={fault?.text} />
        </div>
        <p className="hint" id={`${id}-hint`}>
          {strings.hint}
        </p>
      </div>
      <button type="submit" className="btn btn-primary btn-large" aria-disabled={busy}>
        {busy ? strings.signingIn : strings.signIn}
      </button>
    </form>
  );
}

/** `fault` is a new object with every try, so that the same mistake made twice is told twice. */
function useSignIn(key: string, setKey: (next: string) => void) {
  const [fault, setFault] = useState<{ text: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const typed = key.trim();
    if (typed === "") return setFault({ text: strings.empty });
    setBusy(true);
    setFault(null);
    void tryKey(typed).then((next) => {
      setBusy(false);
      setFault(next.fault);
      if (next.isWrong) setKey("");
    });
  };
  return { fault, busy, submit };
}

async function tryKey(key: string): Promise<{ fault: { text: string } | null; isWrong: boolean }> {
  try {
    const isTaken = await signInWith(key);
    return { fault: isTaken ? null : { text: strings.wrong }, isWrong: !isTaken };
  } catch (error) {
    const { detail, action } = describeProblem(error);
    return { fault: { text: [detail, action].filter(Boolean).join(" ") }, isWrong: false };
  }
}
