import { useState } from "react";
import type { StudioModel } from "../../../../api/models.ts";
import { describeProblem } from "../../../../api/problems.ts";
import { findPicture, storePicture } from "../../../../api/uploads.ts";
import { localize } from "../../../../ui/language.ts";
import { showToast } from "../../../../ui/toasts.tsx";
import { openPlace, placed } from "../model/places.ts";
import { isPictorial, parametersInForce, type Recipe, valueOf, withValue } from "../model/recipe.ts";
import { changeRecipe, currentRecipe } from "../model/recipe-store.ts";
import { applySaved, pictureIdsIn, type SavedRecipe, savedRecipe, type Unusable } from "../model/saved-recipe.ts";
import { startsOf, type Target, withPictureAt } from "../model/targets.ts";
import type { Picture } from "../model/values.ts";
import { strings } from "../strings.ts";

/** Something to be said about what arrived, with what can be done about it. */
export interface Notice {
  title: string;
  lines: readonly string[];
  actions: readonly { label: string; run: () => void }[];
}

export interface Arrivals {
  notice: Notice | null;
  dismiss: () => void;
  /** Name of the file that is being read or sent; null when none is. */
  busy: string | null;
  /** A file that was dropped or pasted beside every place for pictures. */
  takeFile: (file: File) => void;
  /** Fills the form from a saved recipe; `name` is the file it came in. */
  takeRecipe: (saved: SavedRecipe, name: string | null) => Promise<void>;
}

interface Surroundings {
  models: readonly StudioModel[];
  model: StudioModel;
  mode: string;
  catalogVersion: string | undefined;
}

/** Milliseconds in which a filled form can be taken back by one press. */
const undoTime = 15_000;

/** What comes into the form from outside: results with their recipes inside, and pictures to start from. */
export function useArrivals(surroundings: Surroundings): Arrivals {
  const [notice, setNotice] = useState<Notice | null>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const { models, model, mode, catalogVersion } = surroundings;

  const during = async (name: string, work: () => Promise<void>) => {
    setBusy(name);
    setNotice(null);
    try {
      await work();
    } catch (error) {
      const { detail, action } = describeProblem(error);
      showToast({ tone: "error", text: detail, detail: action });
    } finally {
      setBusy(null);
    }
  };

  const takeRecipe = async (saved: SavedRecipe, name: string | null) => {
    const pictures = await picturesOf(pictureIdsIn(saved, models));
    const before = currentRecipe();
    const { recipe, unusable } = applySaved(before, models, model, saved, pictures);
    fill(recipe, name === null ? strings.taken.task : strings.taken.from(name), () => setNotice(null));
    const lines = [...unusable, ...otherCatalog(saved, catalogVersion)].map(unusableWords);
    setNotice(lines.length === 0 ? null : { title: strings.unusable.title, lines, actions: [] });
  };

  const startFrom = async (file: File, target: Target) => {
    const picture = await storePicture(file, file.name);
    changeRecipe((recipe) => withPictureAt(recipe, target, picture));
    setNotice(null);
  };

  const takePicture = async (file: File) => {
    const place = placeNow(model, mode);
    if (place !== undefined) {
      const picture = await storePicture(file, file.name);
      changeRecipe((recipe) => withPlaced(recipe, model, mode, picture));
      return;
    }
    const actions = startsOf(model).map((target) => ({
      label: localize(model.modes.find(({ id }) => id === target.mode)?.label) ?? target.mode,
      run: () => void during(file.name, () => startFrom(file, target)),
    }));
    const lines = actions.length === 0 ? [] : [strings.startFrom(file.name)];
    setNotice({ title: strings.noRecipe(file.name), lines, actions });
  };

  const takeFile = (file: File) =>
    void during(file.name, async () => {
      const { readEmbeddedRecipe } = await import("../reading/read-recipe.ts");
      const raw = await readEmbeddedRecipe(file);
      const saved = raw && savedRecipe(raw);
      if (saved) await takeRecipe(saved, file.name);
      else if (file.type.startsWith("image/")) await takePicture(file);
      else setNotice(refusalOf(file));
    });

  return { notice, dismiss: () => setNotice(null), busy, takeFile, takeRecipe };
}

/** Puts a whole recipe into the form, with the way back. */
export function fill(recipe: Recipe, text: string, onUndo?: () => void): void {
  const before = currentRecipe();
  changeRecipe(() => recipe);
  const undo = () => {
    changeRecipe(() => before);
    onUndo?.();
  };
  showToast({ text, lasts: undoTime, action: { label: strings.undo, run: undo } });
}

function placeNow(model: StudioModel, mode: string) {
  const places = parametersInForce(model, mode).filter(isPictorial);
  return openPlace(places, (parameter) => valueOf(currentRecipe(), model, parameter));
}

function withPlaced(recipe: Recipe, model: StudioModel, mode: string, picture: Picture): Recipe {
  const place = placeNow(model, mode);
  if (place === undefined) return recipe;
  const numbers = Object.fromEntries(
    parametersInForce(model, mode).flatMap((parameter) => {
      const value = valueOf(recipe, model, parameter);
      return typeof value === "number" ? [[parameter.name, value]] : [];
    }),
  );
  return withValue(recipe, model, place, placed(picture, place, valueOf(recipe, model, place), numbers));
}

async function picturesOf(ids: readonly string[]): Promise<ReadonlyMap<string, Picture>> {
  const found = await Promise.all(ids.map((id) => findPicture(id, strings.references)));
  return new Map(found.flatMap((picture) => (picture === null ? [] : [[picture.id, picture]])));
}

function otherCatalog({ catalogVersion }: SavedRecipe, now: string | undefined): readonly Unusable[] {
  if (catalogVersion === null || now === undefined || catalogVersion === now) return [];
  return [{ kind: "catalog", version: catalogVersion, now }];
}

function unusableWords(unusable: Unusable): string {
  switch (unusable.kind) {
    case "model":
    case "mode":
    case "parameter":
      return strings.unusable[unusable.kind](unusable.name);
    case "value":
      return strings.unusable.value(unusable.label, unusable.value);
    case "picture":
      return strings.unusable.picture(unusable.label);
    case "catalog":
      return strings.unusable.catalog(unusable.version, unusable.now);
  }
}

function refusalOf(file: File): Notice {
  const isClip = file.type.startsWith("video/");
  return {
    title: isClip ? strings.noRecipe(file.name) : strings.notMedia(file.name),
    lines: isClip ? [strings.noRecipeClip] : [],
    actions: [],
  };
}
