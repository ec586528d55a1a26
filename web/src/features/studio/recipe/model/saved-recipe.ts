// A recipe that was saved with a result, in a file or in a task, becomes the form again: as much of it as still means
// something here, and a list of what does not.
import type { Parameter, StudioModel } from "../../../../api/models.ts";
import { localize } from "../../../../ui/language.ts";
import { faultOfValue } from "./faults.ts";
import { numberFields } from "./keyframes.ts";
import { defaultOf, parametersInForce, type Recipe, withValue } from "./recipe.ts";
import type { Keyframe, Picture, Value } from "./values.ts";

/** What a result remembers of how it was made. */
export interface SavedRecipe {
  model: string;
  mode: string;
  /** Every value by its name: prompts and seed among the others. */
  values: Readonly<Record<string, unknown>>;
  catalogVersion: string | null;
}

/** Something of a saved recipe that cannot be used here. */
export type Unusable =
  | { kind: "model" | "mode" | "parameter"; name: string }
  | { kind: "value"; label: string; value: string }
  | { kind: "picture"; label: string }
  | { kind: "catalog"; version: string; now: string };

export interface Applied {
  recipe: Recipe;
  unusable: readonly Unusable[];
}

/** Reads what was found in a file or a task; null when it is no recipe at all. */
export function savedRecipe(raw: Readonly<Record<string, unknown>>): SavedRecipe | null {
  const { model, mode, parameters, prompt, negative_prompt, seed, catalog_version } = raw;
  if (typeof model !== "string" || typeof mode !== "string" || typeof prompt !== "string") return null;
  const held = typeof parameters === "object" && parameters !== null ? parameters : {};
  const values = { ...held, prompt, negative_prompt, seed };
  return {
    model,
    mode,
    values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null)),
    catalogVersion: typeof catalog_version === "string" ? catalog_version : null,
  };
}

/** Ids of the uploads that the saved recipe works from, each once. */
export function pictureIdsIn(saved: SavedRecipe, models: readonly StudioModel[]): readonly string[] {
  const model = modelOf(saved, models);
  const pictorial = model?.parameters.filter(({ type }) => type === "image" || type === "keyframes") ?? [];
  return [
    ...new Set(
      pictorial.flatMap((parameter) => {
        const value = saved.values[parameter.name];
        const ids = parameter.type === "image" ? [value] : entriesOf(value).map((entry) => entry[imageName(parameter)]);
        return ids.filter((id): id is string => typeof id === "string");
      }),
    ),
  ];
}

/**
 * The form filled from a saved recipe. `pictures` are those of its uploads that the server still holds. The settings of
 * other models stay; the seed is taken as it was, so that the same comes out again. Of a model that is not offered here
 * the texts and the seed are taken.
 */
export function applySaved(
  current: Recipe,
  models: readonly StudioModel[],
  fallback: StudioModel,
  saved: SavedRecipe,
  pictures: ReadonlyMap<string, Picture>,
): Applied {
  const offered = modelOf(saved, models);
  const unusable: Unusable[] = [];
  if (offered === undefined) unusable.push({ kind: "model", name: saved.model });
  const model = offered ?? fallback;
  const known = model.modes.some(({ id }) => id === saved.mode);
  if (offered !== undefined && !known) unusable.push({ kind: "mode", name: saved.mode });
  const mode = known ? saved.mode : (current.modes[model.id] ?? model.default_mode);
  const inForce = parametersInForce(model, mode).filter(
    (parameter) => offered !== undefined || parameter.group === "prompt" || parameter.group === "seed",
  );
  const names = new Set(inForce.map(({ name }) => name));
  if (offered !== undefined) {
    for (const name of Object.keys(saved.values).filter((name) => !names.has(name)))
      if (!isNothing(saved.values[name])) unusable.push({ kind: "parameter", name });
  }
  let recipe: Recipe = { ...current, model: model.id, modes: { ...current.modes, [model.id]: mode } };
  for (const parameter of inForce) {
    const { value, faults } = readValue(parameter, saved.values[parameter.name], pictures);
    recipe = withValue(recipe, model, parameter, value);
    unusable.push(...faults);
  }
  return { recipe, unusable };
}

/** The model by its id or by another name it goes by. */
function modelOf(saved: SavedRecipe, models: readonly StudioModel[]): StudioModel | undefined {
  return models.find(({ id, aliases }) => id === saved.model || aliases.includes(saved.model));
}

interface Read {
  value: Value | undefined;
  faults: readonly Unusable[];
}

function readValue(parameter: Parameter, raw: unknown, pictures: ReadonlyMap<string, Picture>): Read {
  if (isNothing(raw)) return { value: undefined, faults: [] };
  if (parameter.type === "image") return readPicture(parameter, raw, pictures);
  if (parameter.type === "keyframes") return readKeyframes(parameter, raw, pictures);
  const label = localize(parameter.label);
  const plain = typeof raw === "string" || typeof raw === "number";
  if (parameter.locked) {
    const same = raw === defaultOf(parameter);
    return { value: undefined, faults: same ? [] : [{ kind: "value", label, value: written(raw) }] };
  }
  if (!plain || faultOfValue(parameter, raw) !== null)
    return { value: undefined, faults: [{ kind: "value", label, value: written(raw) }] };
  return { value: raw, faults: [] };
}

function readPicture(parameter: Parameter, raw: unknown, pictures: ReadonlyMap<string, Picture>): Read {
  const picture = pictures.get(String(raw));
  if (picture !== undefined) return { value: picture, faults: [] };
  return { value: undefined, faults: [{ kind: "picture", label: localize(parameter.label) }] };
}

function readKeyframes(parameter: Parameter, raw: unknown, pictures: ReadonlyMap<string, Picture>): Read {
  const keyframes: Keyframe[] = [];
  const faults: Unusable[] = [];
  for (const entry of entriesOf(raw)) {
    const { value, faults: missing } = readPicture(parameter, entry[imageName(parameter)], pictures);
    faults.push(...missing);
    if (typeof value !== "object" || !("url" in value)) continue;
    const numbers = numberFields(parameter).map((field) => {
      const number = entry[field.name];
      return [field.name, typeof number === "number" ? number : (field.default ?? field.min ?? 0)] as const;
    });
    keyframes.push({ picture: value, values: Object.fromEntries(numbers) });
  }
  return { value: keyframes.length === 0 ? undefined : keyframes, faults };
}

function entriesOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((entry): entry is Record<string, unknown> => typeof entry === "object" && entry !== null);
}

function imageName(parameter: Parameter): string {
  return parameter.fields?.find((field) => field.type === "image")?.name ?? "image";
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** Longer values are cut: they are shown in one line. */
const shownLength = 60;

function written(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
}
