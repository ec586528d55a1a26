// Which model and mode a command line means. Both may be left out: the file name and the flags that were given say enough.
import {
  catalog,
  findModel,
  isRequired,
  type MediaType,
  type ModeEntry,
  type ModelEntry,
  parametersOf,
} from "@safelight/catalog";
import { usageError } from "../failure.ts";

export interface Pair {
  model: ModelEntry;
  mode: ModeEntry;
}

export interface PairWishes {
  model?: string | undefined;
  mode?: string | undefined;
  /** What the name of the output file asks for. */
  type?: MediaType | undefined;
  /** Names of the parameters that were given. */
  parameters: readonly string[];
}

/** All pairs of the catalog that a model and a mode leave open; models in catalog order, default mode first. */
export function pairsFor(model?: string, mode?: string): Pair[] {
  const models = model === undefined ? catalog.models : [findModel(model)].filter((found) => found !== undefined);
  return models.flatMap((entry) =>
    entry.modes.filter(({ id }) => mode === undefined || id === mode).map((found) => ({ model: entry, mode: found })),
  );
}

/**
 * The one pair that is meant: the first that takes every parameter given and lacks none of its own pictures. Pictures come
 * before video where nothing else decides. Throws a usage error when the model or mode does not exist.
 */
export function choosePair(wishes: PairWishes): Pair {
  const named = pairsFor(wishes.model, wishes.mode);
  if (named.length === 0) throw unknownPair(wishes);
  const typed = named.filter(({ model }) => wishes.type === undefined || model.type === wishes.type);
  const candidates = (typed.length > 0 ? typed : named).toSorted(imagesFirst);
  const fitting = candidates.find(
    (pair) => takesAll(pair, wishes.parameters) && hasItsPictures(pair, wishes.parameters),
  );
  const found = fitting ?? candidates.find((pair) => takesAll(pair, wishes.parameters)) ?? candidates[0];
  if (found === undefined) throw unknownPair(wishes);
  return found;
}

function takesAll({ model, mode }: Pair, names: readonly string[]): boolean {
  const known = new Set(parametersOf(model, mode.id).map(({ name }) => name));
  return names.every((name) => known.has(name));
}

function hasItsPictures({ model, mode }: Pair, names: readonly string[]): boolean {
  return parametersOf(model, mode.id)
    .filter((parameter) => parameter.type === "image" || parameter.type === "keyframes")
    .every((parameter) => !isRequired(model, mode.id, parameter) || names.includes(parameter.name));
}

function imagesFirst(a: Pair, b: Pair): number {
  return Number(a.model.type === "video") - Number(b.model.type === "video");
}

function unknownPair({ model, mode }: PairWishes): Error {
  const known = model === undefined ? undefined : findModel(model);
  if (model !== undefined && known === undefined) {
    return usageError(`There is no model "${model}". Choose one of ${catalog.models.map(({ id }) => id).join(", ")}.`);
  }
  const modes =
    known === undefined
      ? [...new Set(catalog.models.flatMap((entry) => entry.modes.map(({ id }) => id)))]
      : known.modes.map(({ id }) => id);
  const owner = known === undefined ? "No model" : known.id;
  return usageError(
    `${owner} has ${known === undefined ? "the" : "no"} mode "${mode}". Choose one of ${modes.join(", ")}.`,
  );
}
