import { type RefObject, useState } from "react";
import type { Parameter } from "../../../../api/models.ts";
import { fieldMaximum, placeField, withPlace } from "../model/keyframes.ts";
import { hasRoom, placed } from "../model/places.ts";
import { valueOf } from "../model/recipe.ts";
import { currentRecipe } from "../model/recipe-store.ts";
import { type Keyframe, keyframesIn, type Picture } from "../model/values.ts";
import { useFieldErrors } from "./use-field-errors.ts";
import { usePictureUpload } from "./use-picture-upload.ts";
import { useRecipeForm } from "./use-recipe.ts";

export type KeyframeEditing = ReturnType<typeof useKeyframes>;

/** Everything that can be done with the list. Entries keep their order: which one is chosen stays so while it moves. */
export function useKeyframes(parameter: Parameter, box: RefObject<HTMLElement | null>) {
  const form = useRecipeForm();
  const { clear } = useFieldErrors();
  const [wanted, choose] = useState(0);
  const list = keyframesIn(form.value(parameter));
  const chosen = Math.min(wanted, Math.max(0, list.length - 1));
  const held = () => keyframesIn(valueOf(currentRecipe(), form.model, parameter));
  const set = (next: readonly Keyframe[]) => {
    clear(parameter.name);
    form.set(parameter, next.length === 0 ? undefined : next);
  };
  const adding = usePictureUpload((picture) => {
    const before = held();
    if (!hasRoom(parameter, before)) return;
    set(keyframesIn(placed(picture, parameter, before, form.numbers())));
    choose(before.length);
  });
  const replacing = usePictureUpload((picture: Picture) => {
    const before = held();
    const keyframe = before[chosen];
    if (keyframe) set(before.with(chosen, { ...keyframe, picture }));
  });
  const field = placeField(parameter);
  return {
    list,
    chosen,
    choose,
    busy: adding.busy ?? replacing.busy,
    uploadError: adding.error ?? replacing.error,
    add: adding.sendAll,
    replace: ([file]: File[]) => file && replacing.send(file),
    change: (keyframe: Keyframe) => set(list.with(chosen, keyframe)),
    move: (index: number, place: number) => {
      if (field === undefined) return;
      const maximum = fieldMaximum(field, (name) => form.numbers()[name]);
      const next = withPlace(held(), index, place, field, maximum);
      if (next !== held()) set(next);
    },
    remove: (index: number) => {
      set(list.filter((_, other) => other !== index));
      // The focus stays on the track, on what has taken the place of what went.
      const next = Math.max(0, Math.min(index, list.length - 2));
      choose(next);
      requestAnimationFrame(() =>
        box.current?.querySelector<HTMLElement>(`[data-index="${next}"], .dropzone`)?.focus(),
      );
    },
  };
}
