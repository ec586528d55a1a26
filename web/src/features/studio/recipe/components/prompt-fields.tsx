import { useId } from "react";
import type { Parameter } from "../../../../api/models.ts";
import { FieldError } from "../../../../ui/field-error.tsx";
import { localize } from "../../../../ui/language.ts";
import { useFieldErrors } from "../hooks/use-field-errors.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { notesOn } from "../model/recipe.ts";
import { strings } from "../strings.ts";
import { Section } from "./section.tsx";
import { SketchNote } from "./sketch-note.tsx";

/** The texts of the recipe: the required one as a page to write on, the others as lines. */
export function PromptFields({ servedBySketch }: { servedBySketch: boolean }) {
  const form = useRecipeForm();
  return (
    <Section label={strings.words}>
      {form.parameters
        .filter((parameter) => parameter.group === "prompt")
        .map((parameter) => (
          <PromptField
            key={parameter.name}
            parameter={parameter}
            honest={servedBySketch && form.isRequired(parameter)}
          />
        ))}
    </Section>
  );
}

/** The counter speaks up when nine tenths of the room are used. */
const nearlyFull = 0.9;

function PromptField({ parameter, honest }: { parameter: Parameter; honest: boolean }) {
  const form = useRecipeForm();
  const { errorOn, clear } = useFieldErrors();
  const id = useId();
  const value = form.text(parameter);
  const limit = parameter.max_length ?? 0;
  const length = Array.from(value).length;
  const error = errorOn(parameter.name);
  const [note] = value === "" ? [] : notesOn(form.recipe, form.model, parameter);
  const input = {
    id,
    value,
    dir: "auto" as const,
    "aria-invalid": error ? true : undefined,
    "aria-required": form.isRequired(parameter) || undefined,
    "aria-describedby": `${id}-note`,
    onChange: (event: { target: { value: string } }) => {
      clear(parameter.name);
      form.set(parameter, event.target.value);
    },
  };
  return (
    <div className="field">
      <div className="field-head">
        <label className="field-label" htmlFor={id}>
          {localize(parameter.label)}
        </label>
        <span className={`num ms-auto ${length > limit ? "text-danger" : "text-faint"}`} aria-hidden="true">
          {strings.counter(length, limit)}
        </span>
        <output className="visually-hidden">
          {length >= limit * nearlyFull ? strings.counterSpoken(length, limit) : ""}
        </output>
      </div>
      {form.isRequired(parameter) ? (
        <textarea className="area" rows={4} placeholder={strings.promptPlaceholder} {...input} />
      ) : (
        <input className="input" {...input} />
      )}
      <div id={`${id}-note`} className="grid gap-1">
        <FieldError message={error} />
        {note ? <p className="hint">{localize(note.text)}</p> : null}
        {honest ? <SketchNote prompt={value} /> : null}
      </div>
    </div>
  );
}
