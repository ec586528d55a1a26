/** From the file as written to entries that stand on their own. Pure, so that tests can read other catalogs. */
import type {
  Catalog,
  CatalogFile,
  MediaType,
  Mode,
  ModeEntry,
  ModelDefinition,
  ModelEntry,
  ParameterDefinition,
  ParameterEntry,
  Preset,
  PresetDefinition,
  PresetGroup,
  Visibility,
} from "./types.ts";

const groupOrder = ["prompt", "references", "frame", "length", "quality", "seed", "advanced"] as const;

/** Reads a catalog file. Throws when a model names a mode that the file does not describe. */
export function readCatalog(file: CatalogFile): Catalog {
  return deepFreeze({
    catalog_version: file.catalog_version,
    models: file.models.map((model) => readModel(file, model)),
  });
}

function readModel(file: CatalogFile, model: ModelDefinition): ModelEntry {
  const { quality_steps, modes: modeIds, parameters: own, ...facts } = model;
  const modes = modeIds.map((id) => modeNamed(file, id));
  const offered = [...file.shared_parameters, ...own].filter(
    ({ visible }) => offersType(visible, model.type) && modesOf(visible, model).length > 0,
  );
  const names = new Set(offered.map(({ name }) => name));
  const parameters = offered.map((parameter) => readParameter(parameter, model, names));
  // Grouped by section of the form, pictures before what tunes them, so that no reader has to sort.
  parameters.sort((a, b) => formRank(a) - formRank(b));
  const unlocked = new Set(parameters.filter((parameter) => !parameter.locked).map((parameter) => parameter.name));
  const presetsOf = (group: PresetGroup): Preset[] =>
    file.presets[group]
      .filter(({ visible }) => offersType(visible, model.type))
      .filter(({ visible }) => (visible?.unlocked ?? []).every((name) => unlocked.has(name)))
      .map((preset) => readPreset(preset, quality_steps?.[preset.id]));
  return {
    ...facts,
    modes,
    parameters,
    presets: { aspect: presetsOf("aspect"), duration: presetsOf("duration"), quality: presetsOf("quality") },
  };
}

function modeNamed(file: CatalogFile, id: Mode): ModeEntry {
  const mode = file.modes.find((candidate) => candidate.id === id);
  if (mode === undefined) throw new Error(`The catalog describes no mode named ${id}.`);
  return mode;
}

function readParameter(definition: ParameterDefinition, model: ModelDefinition, names: Set<string>): ParameterEntry {
  const { default_by_type, depends_on, ...rest } = definition;
  const value = default_by_type?.[model.type] ?? definition.default;
  const pictures = depends_on?.filter((name) => names.has(name));
  return {
    ...rest,
    ...(value === undefined ? {} : { default: value }),
    ...(pictures === undefined ? {} : { depends_on: pictures }),
    locked: definition.locked ?? false,
    modes: modesOf(definition.visible, model),
  };
}

function formRank({ group, type }: ParameterEntry): number {
  return groupOrder.indexOf(group) * 2 + (type === "image" || type === "keyframes" ? 0 : 1);
}

function modesOf(visible: Visibility | undefined, model: ModelDefinition): Mode[] {
  return model.modes.filter((mode) => visible?.modes?.includes(mode) ?? true);
}

function readPreset(definition: PresetDefinition, steps: number | undefined): Preset {
  const { visible: _visible, values, ...rest } = definition;
  return { ...rest, values: { ...values, ...(steps === undefined ? {} : { steps }) } };
}

function offersType(visible: Visibility | undefined, type: MediaType): boolean {
  return visible?.types?.includes(type) ?? true;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
