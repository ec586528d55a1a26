// Where a picture from elsewhere can begin something: which model, mode and place. All of it is found in the catalog, by
// how many pictures a mode asks for.
import type { Parameter, StudioModel } from "../../../../api/models.ts";
import { parametersInForce, type Recipe, withNamedValues, withValue } from "./recipe.ts";
import type { Picture } from "./values.ts";

export interface Target {
  model: StudioModel;
  mode: string;
  place: Parameter;
}

/** What a picture is wanted as. */
export type PictureUse = "reference" | "animate" | "first" | "last";

/** The place for a picture, as near to what is chosen now as can be; null when no model that can run now has one. */
export function targetFor(
  use: PictureUse,
  models: readonly StudioModel[],
  current: { model: StudioModel; mode: string },
): Target | null {
  const pair = use === "first" || use === "last";
  const able = models.filter(({ available, type }) => available && (use !== "animate" || type === "video"));
  // The chosen model first, then others that make the same kind of thing.
  const ranked = able.toSorted((a, b) => nearness(b, current.model) - nearness(a, current.model));
  for (const model of ranked) {
    const modes = model.modes
      .map(({ id }) => id)
      .filter((id) => !model.unavailable_modes.includes(id))
      .toSorted((a, b) => Number(b === current.mode) - Number(a === current.mode));
    for (const mode of modes) {
      const places = requiredPictures(model, mode);
      const place = use === "last" ? places.at(-1) : places[0];
      if (place !== undefined && places.length === (pair ? 2 : 1)) return { model, mode, place };
    }
  }
  return null;
}

/** Modes of the model that can take one more picture, with the place it would go to. */
export function startsOf(model: StudioModel): readonly Target[] {
  return model.modes.flatMap(({ id }) => {
    if (model.unavailable_modes.includes(id)) return [];
    const place = parametersInForce(model, id).find(({ type }) => type === "image" || type === "keyframes");
    return place === undefined ? [] : [{ model, mode: id, place }];
  });
}

function nearness(model: StudioModel, chosen: StudioModel): number {
  return model.id === chosen.id ? 2 : model.type === chosen.type ? 1 : 0;
}

function requiredPictures(model: StudioModel, mode: string): readonly Parameter[] {
  return parametersInForce(model, mode).filter(
    ({ type, required_in }) => type === "image" && required_in.includes(mode),
  );
}

/** The recipe with the target chosen, the picture in its place, and a frame of the picture's proportions. */
export function withPictureAt(recipe: Recipe, { model, mode, place }: Target, picture: Picture): Recipe {
  const chosen: Recipe = { ...recipe, model: model.id, modes: { ...recipe.modes, [model.id]: mode } };
  const filled = withValue(chosen, model, place, picture);
  return withNamedValues(filled, model, { ...frameLike(model, picture) });
}

/** The picture's own size where the model takes it, else the preset whose proportions come nearest. */
export function frameLike(
  model: StudioModel,
  { width, height }: { width: number; height: number },
): Record<string, number> {
  if (width <= 0 || height <= 0) return {};
  const own = { width, height };
  if (Object.entries(own).every(([name, side]) => takes(model, name, side))) return own;
  const difference = (values: Readonly<Record<string, number>>) =>
    Math.abs(Math.log((values.width ?? 1) / (values.height ?? 1) / (width / height)));
  const [nearest] = model.presets.aspect.toSorted((a, b) => difference(a.values) - difference(b.values));
  return nearest ? { ...nearest.values } : {};
}

function takes(model: StudioModel, name: string, side: number): boolean {
  const parameter = model.parameters.find((candidate) => candidate.name === name);
  if (parameter === undefined) return false;
  const { min = 0, max = side, step = 1 } = parameter;
  return side >= min && side <= max && (side - min) % step === 0;
}
