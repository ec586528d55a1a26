/**
 * Shapes of the catalog. The file `inference_settings.json` says each thing once (see README.md); `ModelEntry` is what
 * the reader makes of it: shared parameters merged in, defaults chosen for the model's media type, presets filled in.
 */
export type ModelId = "anisora" | "phr00t" | "pony" | "flux";
export type MediaType = "image" | "video";
export type Mode = "t2v" | "i2v" | "first_last_frame" | "arbitrary_frame" | "txt2img" | "img2img";
export const languages = ["en", "ru"] as const;
export type Language = (typeof languages)[number];
export type Text = Readonly<Record<Language, string>>;

export type ParameterType = "string" | "integer" | "number" | "image" | "keyframes";
export type ParameterGroup = "prompt" | "references" | "frame" | "length" | "quality" | "seed" | "advanced";
export type ParameterControl = "text" | "slider" | "number" | "choice" | "seed" | "image" | "keyframes" | "locked";
export type OptionValue = string | number;

/** When something is offered. Every condition named must hold; no condition means always. */
export interface Visibility {
  readonly types?: readonly MediaType[];
  readonly modes?: readonly Mode[];
  /** Names of parameters that must exist on the model and not be locked. */
  readonly unlocked?: readonly string[];
}

/** One property of a keyframe; a parameter with two rules that only make sense inside a list. */
export interface KeyframeField {
  readonly name: "frame_index" | "image" | "strength";
  readonly type: "integer" | "number" | "image";
  readonly label: Text;
  readonly required?: boolean;
  readonly default?: number;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  /** No two keyframes may have the same value. */
  readonly distinct?: boolean;
  /** The value must be smaller than that of this parameter. */
  readonly less_than?: string;
  readonly control: ParameterControl;
}

/**
 * What is written about one parameter. `step` binds integers, counted from `min`; for numbers it is a hint for the form.
 * `depends_on` names pictures: the control matters once any of them is chosen.
 */
export interface ParameterDefinition {
  readonly name: string;
  readonly type: ParameterType;
  readonly label: Text;
  readonly help?: Text;
  readonly required?: boolean;
  readonly default?: string | number | readonly never[];
  readonly default_by_type?: Readonly<Record<MediaType, number>>;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly unit?: "px" | "frames" | "fps";
  readonly options?: readonly OptionValue[];
  readonly option_labels?: Readonly<Record<string, Text>>;
  readonly min_length?: number;
  readonly max_length?: number;
  readonly not_blank?: boolean;
  readonly min_items?: number;
  readonly max_items?: number;
  readonly fields?: readonly KeyframeField[];
  readonly recommended?: number;
  /** The value that stands for "draw one at random". */
  readonly random_value?: number;
  readonly locked?: boolean;
  readonly visible?: Visibility;
  readonly depends_on?: readonly string[];
  readonly group: ParameterGroup;
  readonly control: ParameterControl;
}

/** A parameter of one model, with the modes of that model in which it may be sent. */
export interface ParameterEntry extends Omit<ParameterDefinition, "default_by_type"> {
  readonly locked: boolean;
  readonly modes: readonly Mode[];
}

export interface ModeEntry {
  readonly id: Mode;
  readonly type: MediaType;
  readonly label: Text;
  readonly description: Text;
  /** Parameters that must be sent in this mode, besides those that always must. */
  readonly requires: readonly string[];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A named set of values the form fills in. `smallest` is the smallest allowed size of exactly this aspect. */
export interface Preset {
  readonly id: string;
  readonly label: Text;
  readonly description?: Text;
  readonly values: Readonly<Record<string, number>>;
  readonly smallest?: Size;
  /** Also go to the `smallest` size of the chosen aspect. */
  readonly smallest_size?: boolean;
}

export type PresetGroup = "aspect" | "duration" | "quality";

export interface Licence {
  readonly name: string;
  /** In place of the name where that is a sentence; names of licences stand as they are in every language. */
  readonly names?: Text;
  readonly link: string;
  readonly commercial_use: "allowed" | "restricted" | "forbidden";
  readonly note: Text;
}

/** Something a creator should know about a parameter, always or while another one has a value. */
export interface Note {
  readonly parameter: string;
  readonly when?: { readonly parameter: string; readonly equals: OptionValue };
  readonly text: Text;
}

interface ModelFacts {
  readonly id: ModelId;
  readonly aliases: readonly string[];
  readonly name: string;
  readonly family: string;
  readonly type: MediaType;
  readonly category: string;
  readonly description: Text;
  readonly recommended_resolutions: readonly Size[];
  readonly licence: Licence;
  readonly notes: readonly Note[];
}

export interface ModelEntry extends ModelFacts {
  /** Default mode first. */
  readonly modes: readonly ModeEntry[];
  /** Every parameter of any mode, in the order of the form. */
  readonly parameters: readonly ParameterEntry[];
  readonly presets: Readonly<Record<PresetGroup, readonly Preset[]>>;
}

export interface Catalog {
  readonly catalog_version: string;
  readonly models: readonly ModelEntry[];
}

export interface PresetDefinition extends Omit<Preset, "values"> {
  readonly values?: Readonly<Record<string, number>>;
  readonly visible?: Visibility;
}

export interface ModelDefinition extends ModelFacts {
  readonly modes: readonly Mode[];
  readonly parameters: readonly ParameterDefinition[];
  readonly quality_steps?: Readonly<Record<string, number>>;
}

/** `inference_settings.json` as written. */
export interface CatalogFile {
  readonly catalog_version: string;
  readonly modes: readonly ModeEntry[];
  readonly shared_parameters: readonly ParameterDefinition[];
  readonly presets: Readonly<Record<PresetGroup, readonly PresetDefinition[]>>;
  readonly models: readonly ModelDefinition[];
}
