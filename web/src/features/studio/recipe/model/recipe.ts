// The recipe: what the creator has chosen so far, and how it becomes a request. Only what differs from the catalog's
// default is held and sent, so that every default and limit stays the catalog's.
import type { Note, Parameter, StudioModel } from "../../../../api/models.ts";
import { fitted } from "./keyframes.ts";
import { keyframesIn, type Value } from "./values.ts";

export type Values = Readonly<Record<string, Value>>;

export interface Recipe {
  /** null: the first model that can run. */
  model: string | null;
  /** The chosen mode of each model; without one its default mode. */
  modes: Readonly<Record<string, string>>;
  /** What belongs to the idea rather than to a model: prompts, pictures, seed. */
  shared: Values;
  /** Everything else, per model. */
  own: Readonly<Record<string, Values>>;
  /** How many tasks one press makes, with neighbouring seeds. */
  copies: number;
}

export const emptyRecipe: Recipe = { model: null, modes: {}, shared: {}, own: {}, copies: 1 };

export function chosenModel(models: readonly StudioModel[], recipe: Recipe): StudioModel | undefined {
  return models.find((model) => model.id === recipe.model) ?? models.find((model) => model.available) ?? models[0];
}

export function chosenMode(model: StudioModel, recipe: Recipe): string {
  const wanted = recipe.modes[model.id];
  return model.modes.some((mode) => mode.id === wanted) && wanted !== undefined ? wanted : model.default_mode;
}

/** Parameters in force for this model and mode, in the order of the catalog. */
export function parametersInForce(model: StudioModel, mode: string): readonly Parameter[] {
  return model.parameters.filter((parameter) => parameter.modes.includes(mode));
}

/** A picture is chosen once and serves every model; a slider belongs to the model it was moved for. */
export function isShared(parameter: Parameter): boolean {
  return parameter.group === "prompt" || parameter.group === "seed" || isPictorial(parameter);
}

export function isPictorial(parameter: Parameter): boolean {
  return parameter.type === "image" || parameter.type === "keyframes";
}

/** The value in force: a keyframe list as it fits into the clip that is chosen now. */
export function valueOf(recipe: Recipe, model: StudioModel, parameter: Parameter): Value | undefined {
  const held = heldValue(recipe, model, parameter);
  if (parameter.type !== "keyframes") return held;
  return fitted(keyframesIn(held), parameter, (name) => numberIn(recipe, model, name));
}

/** The value as it was set, whatever has changed around it since. */
export function heldValue(recipe: Recipe, model: StudioModel, parameter: Parameter): Value | undefined {
  const held = isShared(parameter) ? recipe.shared[parameter.name] : recipe.own[model.id]?.[parameter.name];
  return parameter.locked || held === undefined ? defaultOf(parameter) : held;
}

function numberIn(recipe: Recipe, model: StudioModel, name: string): number | undefined {
  const parameter = model.parameters.find((candidate) => candidate.name === name);
  const value = parameter && heldValue(recipe, model, parameter);
  return typeof value === "number" ? value : undefined;
}

/** Every number in force of a model and mode, by the name of its parameter. */
export function numbersIn(recipe: Recipe, model: StudioModel, mode: string): Readonly<Record<string, number>> {
  const held = parametersInForce(model, mode).map(
    (parameter) => [parameter.name, heldValue(recipe, model, parameter)] as const,
  );
  return Object.fromEntries(held.filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}

export function defaultOf(parameter: Parameter): Value | undefined {
  return parameter.default as Value | undefined;
}

export function withValue(recipe: Recipe, model: StudioModel, parameter: Parameter, value: Value | undefined): Recipe {
  const drop = value === undefined || value === defaultOf(parameter);
  if (isShared(parameter))
    return { ...recipe, shared: changed(recipe.shared, parameter.name, drop ? undefined : value) };
  const own = changed(recipe.own[model.id] ?? {}, parameter.name, drop ? undefined : value);
  return { ...recipe, own: { ...recipe.own, [model.id]: own } };
}

function changed(values: Values, name: string, value: Value | undefined): Values {
  const { [name]: _old, ...rest } = values;
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** Whether the control matters now: a strength means nothing before its picture is there. */
export function isRelevant(recipe: Recipe, model: StudioModel, mode: string, parameter: Parameter): boolean {
  const needs = parametersInForce(model, mode).filter((other) => parameter.depends_on?.includes(other.name));
  return needs.length === 0 || needs.some((other) => isPresent(valueOf(recipe, model, other)));
}

function isPresent(value: Value | undefined): boolean {
  return value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);
}

/** Notes of the catalog about one parameter that hold for the values chosen now. */
export function notesOn(recipe: Recipe, model: StudioModel, parameter: Parameter): readonly Note[] {
  return model.notes.filter((note) => {
    if (note.parameter !== parameter.name) return false;
    const other = model.parameters.find((candidate) => candidate.name === note.when?.parameter);
    return note.when === undefined || (other !== undefined && valueOf(recipe, model, other) === note.when.equals);
  });
}

/** The flat body of a submission. */
export function requestBody(recipe: Recipe, model: StudioModel): Record<string, unknown> {
  const mode = chosenMode(model, recipe);
  const body: Record<string, unknown> = { model: model.id, mode };
  for (const parameter of parametersInForce(model, mode)) {
    const value = valueOf(recipe, model, parameter);
    const untouched = value === undefined || (value === defaultOf(parameter) && !parameter.required_in.includes(mode));
    if (!parameter.locked && !untouched) body[parameter.name] = sendable(value, parameter);
  }
  return body;
}

function sendable(value: Value, parameter: Parameter): unknown {
  if (typeof value !== "object") return value;
  if ("id" in value) return value.id;
  const image = parameter.fields?.find((field) => field.type === "image")?.name ?? "image";
  return value.map((keyframe) => ({ ...keyframe.values, [image]: keyframe.picture.id }));
}

/** The recipe with values for the parameters of these names; names the model does not know are passed over. */
export function withNamedValues(recipe: Recipe, model: StudioModel, values: Values): Recipe {
  return Object.entries(values).reduce((current, [name, value]) => {
    const parameter = model.parameters.find((candidate) => candidate.name === name);
    return parameter ? withValue(current, model, parameter, value) : current;
  }, recipe);
}
