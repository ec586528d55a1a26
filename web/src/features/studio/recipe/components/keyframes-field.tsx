import { Plus, RefreshCw, Trash2 } from "lucide-react";
import { useRef } from "react";
import type { Parameter } from "../../../../api/models.ts";
import { FieldError } from "../../../../ui/field-error.tsx";
import { localize } from "../../../../ui/language.ts";
import { useFieldErrors } from "../hooks/use-field-errors.ts";
import { type KeyframeEditing, useKeyframes } from "../hooks/use-keyframes.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { isMoved } from "../model/faults.ts";
import { fieldMaximum, placeField } from "../model/keyframes.ts";
import { hasRoom } from "../model/places.ts";
import { strings } from "../strings.ts";
import { Dropzone } from "./dropzone.tsx";
import { KeyframeNumbers } from "./keyframe-numbers.tsx";
import { KeyframeTrack } from "./keyframe-track.tsx";
import { PictureButton } from "./picture-button.tsx";

/** Pictures along a clip: a track to drag them on, and below it the numbers of the chosen one. */
export function KeyframesField({ parameter }: { parameter: Parameter }) {
  const form = useRecipeForm();
  const { errorOn } = useFieldErrors();
  const box = useRef<HTMLDivElement>(null);
  const editing = useKeyframes(parameter, box);
  const { list, chosen, busy } = editing;
  const error = editing.uploadError ?? errorOn(parameter.name);
  const name = strings.keyframe(chosen + 1);
  return (
    <div className="grid gap-3" ref={box}>
      <div className="field-head">
        <h2 className="text-ui font-semibold">{localize(parameter.label)}</h2>
        <span className="num ms-auto text-faint">
          {strings.keyframeCount(list.length, parameter.max_items ?? list.length)}
        </span>
      </div>
      {list.length === 0 ? (
        <Dropzone
          label={strings.drop}
          hint={localize(parameter.help)}
          busy={busy}
          invalid={Boolean(error)}
          describedBy={error ? `${parameter.name}-error` : undefined}
          multiple
          onFiles={editing.add}
        />
      ) : (
        <>
          <TrackOf parameter={parameter} editing={editing} />
          <KeyframeNumbers parameter={parameter} editing={editing} />
          <div className="flex flex-wrap items-center gap-1">
            {hasRoom(parameter, list) ? (
              <PictureButton icon={Plus} label={strings.addPicture} multiple onFiles={editing.add} />
            ) : null}
            <PictureButton
              icon={RefreshCw}
              quiet
              label={strings.replace}
              name={strings.replaceName(name)}
              onFiles={editing.replace}
            />
            <button
              type="button"
              className="icon-btn icon-btn-small ms-auto"
              aria-label={strings.remove(name)}
              title={strings.remove(name)}
              onClick={() => editing.remove(chosen)}
            >
              <Trash2 className="icon" aria-hidden="true" />
            </button>
          </div>
        </>
      )}
      {busy ? <p className="hint">{strings.uploading(busy)}</p> : null}
      {isMoved(form.recipe, form.model, parameter) ? <p className="hint">{strings.keyframesMoved}</p> : null}
      <FieldError id={`${parameter.name}-error`} message={error} />
    </div>
  );
}

function TrackOf({ parameter, editing }: { parameter: Parameter; editing: KeyframeEditing }) {
  const form = useRecipeForm();
  const { errorOn } = useFieldErrors();
  const field = placeField(parameter);
  if (field === undefined) return null;
  const numbers = form.numbers();
  const rate = form.parameters.find(({ unit }) => unit === "fps");
  const faulty = editing.list.flatMap((_, index) => (errorOn(`${parameter.name}[${index}]`) ? [index] : []));
  return (
    <KeyframeTrack
      list={editing.list}
      field={field}
      maximum={fieldMaximum(field, (name) => numbers[name])}
      rate={(rate && numbers[rate.name]) || 1}
      chosen={editing.chosen}
      faulty={new Set(faulty)}
      onChoose={editing.choose}
      onMove={editing.move}
      onRemove={editing.remove}
    />
  );
}
