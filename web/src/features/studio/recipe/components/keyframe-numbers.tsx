import type { Parameter } from "../../../../api/models.ts";
import { localize } from "../../../../ui/language.ts";
import { SliderRow } from "../../../../ui/slider-row.tsx";
import { useFieldErrors } from "../hooks/use-field-errors.ts";
import type { KeyframeEditing } from "../hooks/use-keyframes.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { fieldMaximum, numberFields } from "../model/keyframes.ts";
import { strings } from "../strings.ts";

/** The numbers of the chosen entry, its place among them: the way to move it without dragging. */
export function KeyframeNumbers({ parameter, editing }: { parameter: Parameter; editing: KeyframeEditing }) {
  const form = useRecipeForm();
  const { errorOn } = useFieldErrors();
  const { list, chosen } = editing;
  const keyframe = list[chosen];
  if (keyframe === undefined) return null;
  const name = strings.keyframe(chosen + 1);
  const numbers = form.numbers();
  return (
    // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- a fieldset would draw its own frame
    <div role="group" aria-label={name}>
      {numberFields(parameter).map((field) => {
        const minimum = field.min ?? 0;
        const label = localize(field.label);
        const value = keyframe.values[field.name] ?? field.default ?? minimum;
        return (
          <SliderRow
            key={field.name}
            label={label}
            numberLabel={strings.numberOf(`${name}, ${label}`)}
            value={value}
            minimum={minimum}
            maximum={fieldMaximum(field, (other) => numbers[other])}
            step={field.step ?? 1}
            integer={field.type === "integer"}
            defaultValue={field.default ?? value}
            error={errorOn(`${parameter.name}[${chosen}].${field.name}`)}
            onChange={(next) =>
              field.distinct
                ? editing.move(chosen, next)
                : editing.change({ ...keyframe, values: { ...keyframe.values, [field.name]: next } })
            }
          />
        );
      })}
    </div>
  );
}
