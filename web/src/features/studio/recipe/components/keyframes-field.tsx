import { Trash2 } from "lucide-react";
import type { Parameter } from "../../../../api/models.ts";
import { FieldError } from "../../../../ui/field-error.tsx";
import { localize } from "../../../../ui/language.ts";
import { SliderRow } from "../../../../ui/slider-row.tsx";
import { useFieldErrors } from "../hooks/use-field-errors.ts";
import { usePictureUpload } from "../hooks/use-picture-upload.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { fieldMaximum, numberFields } from "../model/keyframes.ts";
import { placed } from "../model/places.ts";
import { type Keyframe, keyframesIn, type Value } from "../model/values.ts";
import { strings } from "../strings.ts";
import { Dropzone } from "./dropzone.tsx";

/** Pictures and the frames at which they stand. */
export function KeyframesField({ parameter }: { parameter: Parameter }) {
  const form = useRecipeForm();
  const { errorOn, clear } = useFieldErrors();
  const list = keyframesIn(form.value(parameter));
  const set = (next: Value | undefined) => {
    clear(parameter.name);
    form.set(parameter, next);
  };
  const remove = (index: number) => {
    const rest = list.filter((_, other) => other !== index);
    set(rest.length === 0 ? undefined : rest);
  };
  const upload = usePictureUpload((picture) => set(placed(picture, parameter, list, form.numbers())));
  const error = upload.error ?? errorOn(parameter.name);
  const full = parameter.max_items !== undefined && list.length >= parameter.max_items;
  return (
    <div className="field">
      <div className="field-head">
        <span className="field-label">{localize(parameter.label)}</span>
        <span className="num ms-auto text-faint">
          {strings.keyframeCount(list.length, parameter.max_items ?? list.length)}
        </span>
      </div>
      <ol className="grid">
        {list.map((keyframe, index) => (
          <li key={`${index}-${keyframe.picture.id}`}>
            <KeyframeRow
              parameter={parameter}
              keyframe={keyframe}
              index={index}
              onChange={(next) => set(list.with(index, next))}
              onRemove={() => remove(index)}
            />
          </li>
        ))}
      </ol>
      {full ? null : (
        <Dropzone
          label={list.length === 0 ? strings.drop : strings.addPicture}
          hint={list.length === 0 ? localize(parameter.help) : null}
          busy={upload.busy}
          invalid={Boolean(error)}
          describedBy={error ? `${parameter.name}-error` : undefined}
          onFiles={([file]) => file && upload.send(file)}
        />
      )}
      <FieldError id={`${parameter.name}-error`} message={error} />
    </div>
  );
}

interface KeyframeRowProps {
  parameter: Parameter;
  keyframe: Keyframe;
  index: number;
  onChange: (keyframe: Keyframe) => void;
  onRemove: () => void;
}

function KeyframeRow({ parameter, keyframe, index, onChange, onRemove }: KeyframeRowProps) {
  const form = useRecipeForm();
  const name = strings.keyframe(index + 1);
  return (
    <fieldset
      className="grid grid-cols-[3.5rem_minmax(0,1fr)_auto] items-start gap-x-3 border-b border-line py-2"
      aria-label={name}
    >
      <img
        className="mt-1 h-16 w-14 rounded-media object-cover"
        src={keyframe.picture.url}
        alt={keyframe.picture.name}
      />
      <div className="keyframe-params">
        {numberFields(parameter).map((field) => {
          const minimum = field.min ?? 0;
          const label = localize(field.label);
          return (
            <SliderRow
              key={field.name}
              label={label}
              numberLabel={strings.numberOf(`${name}, ${label}`)}
              value={keyframe.values[field.name] ?? field.default ?? minimum}
              minimum={minimum}
              maximum={fieldMaximum(field, (name) => form.numbers()[name])}
              step={field.step ?? 1}
              integer={field.type === "integer"}
              defaultValue={field.default ?? minimum}
              onChange={(value) => onChange({ ...keyframe, values: { ...keyframe.values, [field.name]: value } })}
            />
          );
        })}
      </div>
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={strings.remove(name)}
        title={strings.remove(name)}
        onClick={onRemove}
      >
        <Trash2 className="icon" aria-hidden="true" />
      </button>
    </fieldset>
  );
}
