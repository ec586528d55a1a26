// Presets of the catalog: which one the values in force amount to, and what choosing one changes.
import type { Preset, StudioModel } from "../../../../api/models.ts";

export interface Size {
  width: number;
  height: number;
}

type Numbers = Readonly<Record<string, number>>;

/** The preset with the proportions of this size, whatever its pixels. */
export function aspectOf(model: StudioModel, size: Size): Preset | undefined {
  return model.presets.aspect.find(({ values }) => sizeOf(values) && sameProportions(sizeOf(values), size));
}

export function durationOf(model: StudioModel, values: Numbers): Preset | undefined {
  return model.presets.duration.find((preset) => agrees(preset, values));
}

export function qualityOf(model: StudioModel, values: Numbers, size: Size): Preset | undefined {
  return (
    model.presets.quality.find(
      (preset) => agrees(preset, values) && isSmallest(model, size) === (preset.smallest_size ?? false),
    ) ?? model.presets.quality.find((preset) => agrees(preset, values) && !preset.smallest_size)
  );
}

/** The size that an aspect means under a quality: its own, or its smallest for a quick test. */
export function sizeFor(aspect: Preset, quality: Preset | undefined): Size | undefined {
  return quality?.smallest_size && aspect.smallest ? aspect.smallest : sizeOf(aspect.values);
}

/**
 * What a quality changes: its own values, and the size where it asks for the smallest one or leaves it again.
 * `usual` is the model's default size, taken where its proportions are the chosen ones.
 */
export function qualityChanges(model: StudioModel, quality: Preset, size: Size, usual: Size): Numbers {
  const aspect = aspectOf(model, size);
  if (aspect === undefined || quality.smallest_size === isSmallest(model, size)) return quality.values;
  if (quality.smallest_size) return { ...quality.values, ...aspect.smallest };
  if (!isSmallest(model, size)) return quality.values;
  return { ...quality.values, ...(sameProportions(usual, size) ? usual : sizeOf(aspect.values)) };
}

function isSmallest(model: StudioModel, size: Size): boolean {
  const smallest = aspectOf(model, size)?.smallest;
  return smallest !== undefined && smallest.width === size.width && smallest.height === size.height;
}

function agrees(preset: Preset, values: Numbers): boolean {
  return Object.entries(preset.values).every(([name, value]) => values[name] === value);
}

function sizeOf(values: Numbers): Size | undefined {
  const { width, height } = values;
  return width === undefined || height === undefined ? undefined : { width, height };
}

function sameProportions(a: Size | undefined, b: Size): boolean {
  return a !== undefined && a.width * b.height === a.height * b.width;
}
