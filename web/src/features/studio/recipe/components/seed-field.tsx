import { Dices, Lock, LockOpen } from "lucide-react";
import { useId } from "react";
import type { Parameter } from "../../../../api/models.ts";
import { FieldError } from "../../../../ui/field-error.tsx";
import { localize } from "../../../../ui/language.ts";
import { useFieldErrors } from "../hooks/use-field-errors.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { strings } from "../strings.ts";
import { Section } from "./section.tsx";

/** The seed: empty draws a new one for every run, a number is kept until it is let go. */
export function SeedField({ parameter }: { parameter: Parameter }) {
  const form = useRecipeForm();
  const { errorOn, clear } = useFieldErrors();
  const id = useId();
  const value = form.value(parameter);
  const kept = value !== parameter.random_value;
  const error = errorOn(parameter.name);
  const set = (next: number | string | undefined) => {
    clear(parameter.name);
    form.set(parameter, next);
  };
  const typed = (text: string) => {
    const number = Number(text);
    // Anything that is no number is handed on as it stands: the server says what is wrong with it.
    set(text.trim() === "" ? undefined : Number.isFinite(number) ? number : text);
  };
  return (
    <Section label={strings.seedSection}>
      <div className="field">
        <div className="field-head">
          <label className="field-label" htmlFor={id}>
            {localize(parameter.label)}
          </label>
          <span className="ms-auto text-faint">{kept ? strings.seedKept : strings.seedRandom}</span>
        </div>
        <div className="grid grid-cols-[1fr_auto_auto] gap-1">
          <input
            id={id}
            className="input mono"
            inputMode="numeric"
            placeholder={strings.seedPlaceholder}
            value={kept ? form.text(parameter) : ""}
            aria-invalid={error ? true : undefined}
            aria-describedby={error ? `${id}-error` : undefined}
            onChange={(event) => typed(event.target.value)}
          />
          <button
            type="button"
            className="icon-btn"
            aria-pressed={kept}
            aria-label={strings.seedLock}
            title={kept ? strings.seedLocked : strings.seedLock}
            onClick={() => set(kept ? undefined : drawSeed(parameter))}
          >
            {kept ? <Lock className="icon" aria-hidden="true" /> : <LockOpen className="icon" aria-hidden="true" />}
          </button>
          <button
            type="button"
            className="icon-btn"
            aria-label={strings.seedRoll}
            title={strings.seedRoll}
            onClick={() => set(drawSeed(parameter))}
          >
            <Dices className="icon" aria-hidden="true" />
          </button>
        </div>
        <FieldError id={`${id}-error`} message={error} />
      </div>
    </Section>
  );
}

function drawSeed(parameter: Parameter): number {
  const lowest = Math.max(0, parameter.min ?? 0);
  return lowest + Math.floor(Math.random() * ((parameter.max ?? lowest) - lowest + 1));
}
