// A model of the catalog in the shape that forms read.
import type { Model } from "@safelight/contract";
import { localize } from "../ui/language.ts";

/** A parameter as the catalog describes it, with its name. */
export type Parameter = Model["parameters_schema"][string] & { name: string };
export type ModeFacts = Model["mode_details"][number];
export type Preset = Model["presets"]["aspect"][number];
export type KeyframeField = NonNullable<Parameter["fields"]>[number];
export type Note = Model["notes"][number];
export type Notice = Model["limits"][number];

/** A model as the form reads it: texts in every language, modes and parameters in the catalog's order. */
export interface StudioModel
  extends Omit<Model, "description" | "descriptions" | "modes" | "mode_details" | "parameters_schema"> {
  description: Model["descriptions"];
  modes: readonly ModeFacts[];
  parameters: readonly Parameter[];
}

/** What a licence is called in the language in force. */
export function licenceName({ licence }: StudioModel): string {
  return localize(licence.names) ?? licence.name;
}

/** Puts an entry of GET /models into the order and shape of the form. */
export function studioModel(model: Model): StudioModel {
  const { descriptions, mode_details, parameters_schema, ...facts } = model;
  return {
    ...facts,
    description: descriptions,
    modes: mode_details,
    parameters: Object.entries(parameters_schema).map(([name, parameter]) => ({ ...parameter, name })),
  };
}
