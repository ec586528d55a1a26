import { isRequired, type ModelEntry, type ParameterEntry } from "@safelight/catalog";
import type { CatalogModel, ParameterFacts } from "./schemas/models.ts";

/** The part of a model's entry in GET /models that comes from the catalog alone. */
export function describeCatalogModel(model: ModelEntry): CatalogModel {
  const { modes, parameters, description, ...facts } = model;
  const locked = parameters.filter((parameter) => parameter.locked);
  return structuredClone({
    ...facts,
    description: description.en,
    descriptions: description,
    modes: modes.map(({ id }) => id),
    default_mode: modes[0]?.id ?? "",
    mode_details: modes,
    parameters_schema: Object.fromEntries(
      parameters.map((parameter) => [parameter.name, parameterFacts(model, parameter)]),
    ),
    fixed_parameters: Object.fromEntries(locked.map(({ name, default: value }) => [name, value])),
  }) as CatalogModel;
}

function parameterFacts(model: ModelEntry, parameter: ParameterEntry): ParameterFacts {
  const { name: _name, visible: _visible, required: _required, ...facts } = parameter;
  const required_in = parameter.modes.filter((mode) => isRequired(model, mode, parameter));
  return { ...facts, required_in } as ParameterFacts;
}
