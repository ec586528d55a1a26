// How files, tasks and their pictures get into the form. Fetched when there is something to take in.
import { client } from "../../../../api/client.ts";
import type { StudioModel } from "../../../../api/models.ts";
import { withSession } from "../../../../api/session.ts";
import {
  findPicture,
  pictureOfTask,
  resultAddress,
  type StoredPicture,
  storePicture,
} from "../../../../api/uploads.ts";
import { localize } from "../../../../ui/language.ts";
import { showToast } from "../../../../ui/toasts.tsx";
import { openPlace, placed } from "../model/places.ts";
import { defaultOf, isPictorial, parametersInForce, type Recipe, valueOf, withValue } from "../model/recipe.ts";
import { changeRecipe, currentRecipe } from "../model/recipe-store.ts";
import { applySaved, pictureIdsIn, type SavedRecipe, savedRecipe, type Unusable } from "../model/saved-recipe.ts";
import { type PictureUse, startsOf, type Target, targetFor, withPictureAt } from "../model/targets.ts";
import type { Picture } from "../model/values.ts";
import { strings } from "../strings.ts";
import type { Arrivals, Notice, Reception, Surroundings } from "./arrivals.ts";

/** Milliseconds in which a filled form can be taken back by one press. */
const undoTime = 15_000;

const pictureUses: readonly string[] = ["reference", "animate", "first", "last"] satisfies PictureUse[];

/** Fills the form from a saved recipe; `name` is the file it came in. */
export async function takeRecipe(
  { models, model, catalogVersion, setNotice }: Reception,
  saved: SavedRecipe,
  name: string | null,
): Promise<void> {
  const pictures = await picturesOf(pictureIdsIn(saved, models));
  const before = currentRecipe();
  const { recipe, unusable } = applySaved(before, models, model, saved, pictures);
  fill(recipe, name === null ? strings.taken.task : strings.taken.from(name), () => setNotice(null));
  const lines = [...unusable, ...otherCatalog(saved, catalogVersion)].map(unusableWords);
  setNotice(lines.length === 0 ? null : { title: strings.unusable.title, lines, actions: [] });
}

/** Takes what a file holds: its recipe, or the picture that it is. */
export async function takeFile(reception: Reception, file: File): Promise<void> {
  const { readEmbeddedRecipe } = await import("../reading/read-recipe.ts");
  const raw = await readEmbeddedRecipe(file);
  const saved = raw && savedRecipe(raw);
  if (saved) await takeRecipe(reception, saved, file.name);
  else if (file.type.startsWith("image/")) await takePicture(reception, file);
  else reception.setNotice(refusalOf(file));
}

/** Takes over a task: its picture for a use, or its whole recipe. */
export async function takeTask(
  surroundings: Surroundings,
  id: string,
  what: string | null,
  take: Arrivals["takeRecipe"],
): Promise<void> {
  if (what !== null && pictureUses.includes(what)) return takePictureOf(id, what as PictureUse, surroundings);
  const saved = savedRecipe(await withSession(() => client.getTask({ path: { id } })));
  if (saved) await take(saved, null);
}

async function takePicture({ model, mode, setNotice, during }: Reception, file: File): Promise<void> {
  if (placeNow(model, mode) !== undefined) {
    const picture = await storePicture(file, file.name);
    changeRecipe((recipe) => withPlaced(recipe, model, mode, picture));
    return;
  }
  const startFrom = async (target: Target) => {
    const picture = await storePicture(file, file.name);
    changeRecipe((recipe) => withPictureAt(recipe, target, picture));
    setNotice(null);
  };
  const actions = startsOf(model).map((target) => ({
    label: localize(model.modes.find(({ id }) => id === target.mode)?.label) ?? target.mode,
    run: () => void during(file.name, () => startFrom(target)),
  }));
  const lines = actions.length === 0 ? [] : [strings.startFrom(file.name)];
  setNotice({ title: strings.noRecipe(file.name), lines, actions });
}

/** Puts a whole recipe into the form, with the way back. */
function fill(recipe: Recipe, text: string, onUndo?: () => void): void {
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

async function takePictureOf(id: string, use: PictureUse, { models, model, mode }: Surroundings): Promise<void> {
  const target = targetFor(use, models, { model, mode });
  if (target === null) {
    const detail = use === "first" || use === "last" ? strings.cannot.noPairMode : strings.cannot.noMode;
    showToast({ tone: "error", text: strings.cannot.title, detail });
    return;
  }
  const item = await withSession(() => client.getTask({ path: { id } }));
  const picture = item.type === "video" ? await frameOf(id, use) : await pictureOfTask(id, strings.pictureOfTask);
  const recipe = withPictureAt(currentRecipe(), target, picture);
  fill(withPrompt(recipe, target, item.prompt), strings.asReference);
}

/** Of a clip the frame that fits: what is to follow on it begins with its end, all else works from its beginning. */
async function frameOf(id: string, use: PictureUse): Promise<StoredPicture> {
  const { frameOfClip } = await import("../reading/clip-frame.ts");
  const frame = await frameOfClip(resultAddress(id), use === "first" ? "end" : "start");
  return storePicture(frame, strings.pictureOfTask);
}

/** The words the picture was made from are a good beginning where nothing is written yet. */
function withPrompt(recipe: Recipe, { model, mode }: Target, prompt: string): Recipe {
  const field = model.parameters.find(({ group, required_in }) => group === "prompt" && required_in.includes(mode));
  if (field === undefined) return recipe;
  const written = valueOf(recipe, model, field) ?? defaultOf(field) ?? "";
  return written === "" ? withValue(recipe, model, field, prompt) : recipe;
}
