import { ArrowLeftRight } from "lucide-react";
import { useId, useRef } from "react";
import type { Parameter } from "../../../../api/models.ts";
import { FieldError } from "../../../../ui/field-error.tsx";
import { localize } from "../../../../ui/language.ts";
import { Segments } from "../../../../ui/segments.tsx";
import { useFieldErrors } from "../hooks/use-field-errors.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { durationOf, qualityChanges, qualityOf, type Size } from "../model/presets.ts";
import { strings } from "../strings.ts";
import { AspectPicker } from "./aspect-picker.tsx";
import { Section } from "./section.tsx";

/** Frame, length and quality: presets of the catalog first, the two sides of the frame as numbers below. */
export function FrameFields() {
  const form = useRecipeForm();
  const numbers = form.numbers();
  const size: Size = { width: numbers.width ?? 0, height: numbers.height ?? 0 };
  const sides = form.parameters.filter((parameter) => parameter.group === "frame");
  const boxes = useRef<HTMLDivElement>(null);
  return (
    <Section label={strings.frame}>
      <div className="grid gap-2" ref={boxes}>
        <AspectPicker
          size={size}
          onOwn={() => boxes.current?.querySelector<HTMLInputElement>("[inputmode]")?.focus()}
        />
        <SizeBoxes sides={sides} />
      </div>
      <DurationPicker numbers={numbers} />
      <QualityPicker numbers={numbers} size={size} />
    </Section>
  );
}

function SizeBoxes({ sides }: { sides: readonly Parameter[] }) {
  const form = useRecipeForm();
  const { errorOn } = useFieldErrors();
  const [across, down] = sides;
  if (across === undefined || down === undefined) return null;
  const swap = () => {
    const [width, height] = [form.value(across), form.value(down)];
    if (width !== undefined && height !== undefined) form.setByName({ [across.name]: height, [down.name]: width });
  };
  return (
    <div className="grid gap-1">
      <div className="grid grid-cols-[1fr_auto_1fr_auto] items-center gap-2">
        <SideBox parameter={across} />
        <span className="text-faint" aria-hidden="true">
          ×
        </span>
        <SideBox parameter={down} />
        <button type="button" className="icon-btn" aria-label={strings.swap} title={strings.swap} onClick={swap}>
          <ArrowLeftRight className="icon" aria-hidden="true" />
        </button>
      </div>
      {sides.map((side) => (
        <FieldError key={side.name} id={`${side.name}-error`} message={errorOn(side.name)} />
      ))}
    </div>
  );
}

function SideBox({ parameter }: { parameter: Parameter }) {
  const form = useRecipeForm();
  const { errorOn, clear } = useFieldErrors();
  const id = useId();
  return (
    <div className="relative">
      <label htmlFor={id} className="absolute inset-y-0 start-2.5 flex items-center text-faint">
        {localize(parameter.label)}
      </label>
      <input
        id={id}
        className="input num ps-16 text-end"
        type="text"
        inputMode="numeric"
        value={form.text(parameter)}
        aria-invalid={errorOn(parameter.name) ? true : undefined}
        aria-describedby={errorOn(parameter.name) ? `${parameter.name}-error` : undefined}
        onChange={(event) => {
          const number = Number(event.target.value);
          clear(parameter.name);
          form.set(parameter, event.target.value.trim() === "" || Number.isNaN(number) ? event.target.value : number);
        }}
      />
    </div>
  );
}

function DurationPicker({ numbers }: { numbers: Readonly<Record<string, number>> }) {
  const form = useRecipeForm();
  const presets = form.model.presets.duration;
  if (presets.length === 0) return null;
  const frames = form.parameters.find((parameter) => parameter.unit === "frames");
  const rate = form.parameters.find((parameter) => parameter.unit === "fps");
  const choose = (id: string) => form.setByName(presets.find((preset) => preset.id === id)?.values ?? {});
  return (
    <div className="field">
      <div className="field-head">
        <span className="field-label">{strings.duration}</span>
        {frames && rate ? (
          <span className="num ms-auto text-faint">
            {strings.framesAndRate(numbers[frames.name] ?? 0, numbers[rate.name] ?? 0)}
          </span>
        ) : null}
      </div>
      <Segments
        label={strings.duration}
        options={presets.map((preset) => ({ value: preset.id, label: localize(preset.label) }))}
        value={durationOf(form.model, numbers)?.id ?? null}
        onChange={choose}
      />
    </div>
  );
}

function QualityPicker({ numbers, size }: { numbers: Readonly<Record<string, number>>; size: Size }) {
  const form = useRecipeForm();
  const presets = form.model.presets.quality;
  if (presets.length === 0) return null;
  const chosen = qualityOf(form.model, numbers, size);
  const choose = (id: string) => {
    const preset = presets.find((candidate) => candidate.id === id);
    if (preset) form.setByName(qualityChanges(form.model, preset, size, usualSize(form.parameters)));
  };
  return (
    <div className="field">
      <span className="field-label">{strings.quality}</span>
      <Segments
        label={strings.quality}
        options={presets.map((preset) => ({ value: preset.id, label: localize(preset.label) }))}
        value={chosen?.id ?? null}
        onChange={choose}
      />
      {chosen?.description ? <p className="hint">{localize(chosen.description)}</p> : null}
    </div>
  );
}

function usualSize(parameters: readonly Parameter[]): Size {
  const side = (name: string) => Number(parameters.find((parameter) => parameter.name === name)?.default ?? 0);
  return { width: side("width"), height: side("height") };
}
