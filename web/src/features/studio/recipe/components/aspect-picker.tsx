import { Scan } from "lucide-react";
import { useId } from "react";
import { localize } from "../../../../ui/language.ts";
import { useFieldErrors } from "../hooks/use-field-errors.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { aspectOf, qualityOf, type Size, sizeFor } from "../model/presets.ts";
import { strings } from "../strings.ts";

/** The longer side of a drawn frame, in pixels of the page. */
const drawnSide = 30;

/** The catalog's aspects as shapes in true proportion, and "own" when the size fits none of them. */
export function AspectPicker({ size, onOwn }: { size: Size; onOwn: () => void }) {
  const form = useRecipeForm();
  const { clear } = useFieldErrors();
  const name = useId();
  const chosen = aspectOf(form.model, size);
  const choose = (id: string) => {
    const aspect = form.model.presets.aspect.find((preset) => preset.id === id);
    const next = aspect && sizeFor(aspect, qualityOf(form.model, form.numbers(), size));
    if (!next) return;
    for (const side of Object.keys(next)) clear(side);
    form.setByName({ ...next });
  };
  return (
    <fieldset className="grid gap-1">
      <legend className="field-label">{strings.frame}</legend>
      <div className="aspects">
        {form.model.presets.aspect.map((preset) => (
          <label key={preset.id} title={localize(preset.label)}>
            <input type="radio" name={name} checked={preset.id === chosen?.id} onChange={() => choose(preset.id)} />
            <i style={drawn({ width: preset.values.width ?? 1, height: preset.values.height ?? 1 })} />
            {preset.id}
          </label>
        ))}
        <label>
          <input type="radio" name={name} checked={chosen === undefined} onChange={onOwn} onClick={onOwn} />
          <Scan className="icon" aria-hidden="true" />
          {strings.ownSize}
        </label>
      </div>
    </fieldset>
  );
}

function drawn({ width, height }: Size): { width: number; height: number } {
  const scale = drawnSide / Math.max(width, height);
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}
