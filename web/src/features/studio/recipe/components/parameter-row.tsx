import { Lock } from "lucide-react";
import { useId } from "react";
import type { Parameter, StudioModel } from "../../../../api/models.ts";
import { noticeWords } from "../../../../api/words/notice-words.ts";
import { FieldError } from "../../../../ui/field-error.tsx";
import { localize } from "../../../../ui/language.ts";
import { Segments } from "../../../../ui/segments.tsx";
import { SliderRow } from "../../../../ui/slider-row.tsx";
import { useFieldErrors } from "../hooks/use-field-errors.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { notesOn } from "../model/recipe.ts";
import { strings } from "../strings.ts";

interface ParameterRowProps {
  parameter: Parameter;
}

/** One catalog parameter as a row of the form, in the control the catalog names. */
export function ParameterRow({ parameter }: ParameterRowProps) {
  if (parameter.locked) return <LockedRow parameter={parameter} />;
  if (parameter.options) return <ChoiceRow parameter={parameter} />;
  if (parameter.type === "integer" || parameter.type === "number") return <NumberRow parameter={parameter} />;
  return <TextRow parameter={parameter} />;
}

function NumberRow({ parameter }: ParameterRowProps) {
  const form = useRecipeForm();
  const { errorOn, clear } = useFieldErrors();
  const label = localize(parameter.label);
  const minimum = parameter.min ?? 0;
  const fallback = typeof parameter.default === "number" ? parameter.default : minimum;
  const value = form.value(parameter);
  const [note] = notesOn(form.recipe, form.model, parameter);
  return (
    <SliderRow
      label={label}
      numberLabel={strings.numberOf(label)}
      value={typeof value === "number" ? value : fallback}
      minimum={minimum}
      maximum={parameter.max ?? fallback}
      step={parameter.step ?? (parameter.type === "integer" ? 1 : 0.01)}
      integer={parameter.type === "integer"}
      defaultValue={fallback}
      hint={note ? localize(note.text) : null}
      error={errorOn(parameter.name)}
      onChange={(next) => {
        clear(parameter.name);
        form.set(parameter, next);
      }}
    />
  );
}

/** Up to this many options stand side by side when their words are short; more become a list. */
const sideBySide = { options: 5, letters: 22 };

function ChoiceRow({ parameter }: ParameterRowProps) {
  const form = useRecipeForm();
  const { errorOn, clear } = useFieldErrors();
  const id = useId();
  const label = localize(parameter.label);
  const value = form.text(parameter);
  const options = (parameter.options ?? []).map((option) => ({
    value: String(option),
    label: localize(parameter.option_labels?.[String(option)]) ?? String(option),
    disabledReason: limitOn(form.model, parameter, String(option)),
  }));
  const choose = (chosen: string) => {
    clear(parameter.name);
    form.set(
      parameter,
      parameter.options?.find((option) => String(option) === chosen),
    );
  };
  const error = errorOn(parameter.name);
  const hints = [
    ...notesOn(form.recipe, form.model, parameter).map((note) => localize(note.text)),
    ...new Set(options.flatMap((option) => option.disabledReason ?? [])),
  ];
  const short = options.reduce((letters, option) => letters + option.label.length, 0) <= sideBySide.letters;
  return (
    <div className="param">
      <label className="param-label" htmlFor={id}>
        {label}
      </label>
      <div className="param-wide">
        {short && options.length <= sideBySide.options ? (
          <Segments label={label} options={options} value={value} onChange={choose} />
        ) : (
          <select id={id} className="input" value={value} onChange={(event) => choose(event.target.value)}>
            {options.map((option) => (
              <option key={option.value} value={option.value} disabled={option.disabledReason !== null}>
                {option.label}
              </option>
            ))}
          </select>
        )}
      </div>
      <FieldError message={error} />
      {hints.map((hint) => (
        <p key={hint} className="hint">
          {hint}
        </p>
      ))}
    </div>
  );
}

/** Why an option cannot be honoured on this installation; null when it can. */
function limitOn(model: StudioModel, parameter: Parameter, option: string): string | null {
  const limit = model.limits.find((each) => each.parameter === parameter.name && each.options?.includes(option));
  return limit ? noticeWords(limit, localize(parameter.label)) : null;
}

function TextRow({ parameter }: ParameterRowProps) {
  const form = useRecipeForm();
  const { errorOn, clear } = useFieldErrors();
  const id = useId();
  const error = errorOn(parameter.name);
  return (
    <div className="param">
      <label className="param-label" htmlFor={id}>
        {localize(parameter.label)}
      </label>
      <input
        id={id}
        className="input param-wide"
        value={form.text(parameter)}
        aria-invalid={error ? true : undefined}
        onChange={(event) => {
          clear(parameter.name);
          form.set(parameter, event.target.value);
        }}
      />
      <FieldError message={error} />
    </div>
  );
}

/** A locked parameter is text, not a disabled control, so that it is read: its value and the reason. */
function LockedRow({ parameter }: ParameterRowProps) {
  return (
    <div className="param">
      <span className="param-label">{localize(parameter.label)}</span>
      <span className="text-label text-faint">{localize(parameter.help) ?? strings.fixed}</span>
      <span className="num inline-flex items-center justify-end gap-1.5 pe-2 text-soft">
        {String(parameter.default)}
        <Lock className="icon-small" strokeWidth={1.75} aria-hidden="true" />
        <span className="visually-hidden">{strings.locked}</span>
      </span>
    </div>
  );
}
