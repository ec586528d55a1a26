import file from "../inference_settings.json" with { type: "json" };
import { readCatalog } from "./read.ts";
import type { Catalog, CatalogFile, Mode, ModeEntry, ModelEntry, ParameterEntry } from "./types.ts";

/** The catalog of this release, deeply frozen. That the file has the shape of `CatalogFile` is shown by a test. */
export const catalog: Catalog = readCatalog(file as unknown as CatalogFile);

const byName = new Map(catalog.models.flatMap((model) => [model.id, ...model.aliases].map((name) => [name, model])));
const inForce = new WeakMap<ModelEntry, Map<Mode, readonly ParameterEntry[]>>();

/** The model with this id or alias. */
export function findModel(idOrAlias: string): ModelEntry | undefined {
  return byName.get(idOrAlias);
}

/** The mode of this model; without a name its default mode. */
export function findMode(model: ModelEntry, mode: string | undefined): ModeEntry | undefined {
  return mode === undefined ? model.modes[0] : model.modes.find((candidate) => candidate.id === mode);
}

/** Parameters in force for a model in a mode, in the order of the form: prompts and locked ones included. */
export function parametersOf(model: ModelEntry, mode: Mode): readonly ParameterEntry[] {
  let byMode = inForce.get(model);
  if (byMode === undefined) {
    byMode = new Map(
      model.modes.map(({ id }) => [id, Object.freeze(model.parameters.filter(({ modes }) => modes.includes(id)))]),
    );
    inForce.set(model, byMode);
  }
  return byMode.get(mode) ?? [];
}

/** Whether this parameter must be sent in this mode. */
export function isRequired(model: ModelEntry, mode: Mode, parameter: ParameterEntry): boolean {
  return parameter.required === true || (findMode(model, mode)?.requires.includes(parameter.name) ?? false);
}
