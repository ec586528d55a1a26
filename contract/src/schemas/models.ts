import { languages } from "@safelight/catalog";
import Type, { type Static, type TUnsafe } from "typebox";
import { choice, Notice, nullable, nullableString } from "./fields.ts";

export const LocalText = Type.Object(
  Object.fromEntries(languages.map((language) => [language, Type.String()])) as Record<
    (typeof languages)[number],
    ReturnType<typeof Type.String>
  >,
  { description: "The same text in each language of the interface." },
);

const optionValue = (): TUnsafe<string | number> => Type.Unsafe<string | number>({ type: ["string", "number"] });

export const ModeFacts = Type.Object({
  id: Type.String(),
  type: choice(["image", "video"]),
  label: LocalText,
  description: LocalText,
  requires: Type.Array(Type.String(), { description: "Parameters that must be sent, besides the prompt." }),
});

export const KeyframeFieldFacts = Type.Object({
  name: Type.String(),
  type: choice(["integer", "number", "image"]),
  label: LocalText,
  required: Type.Optional(Type.Boolean()),
  default: Type.Optional(Type.Number()),
  min: Type.Optional(Type.Number()),
  max: Type.Optional(Type.Number()),
  step: Type.Optional(Type.Number()),
  distinct: Type.Optional(Type.Boolean({ description: "No two entries may have the same value." })),
  less_than: Type.Optional(Type.String({ description: "Must be smaller than this parameter." })),
  control: Type.String(),
});

export const ParameterFacts = Type.Object(
  {
    type: choice(["string", "integer", "number", "image", "keyframes"]),
    default: Type.Optional(
      Type.Unsafe<string | number | readonly never[]>({ type: ["string", "number", "array"], items: {} }),
    ),
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
    step: Type.Optional(Type.Number({ description: "Binds whole numbers, counted from min; a hint for others." })),
    options: Type.Optional(Type.Array(optionValue())),
    locked: Type.Boolean({ description: "Fixed: leave it out or send the default." }),
    modes: Type.Array(Type.String(), { description: "Modes in which it may be sent." }),
    required_in: Type.Array(Type.String(), { description: "Modes in which it must be sent." }),
    min_length: Type.Optional(Type.Integer()),
    max_length: Type.Optional(Type.Integer()),
    not_blank: Type.Optional(Type.Boolean()),
    min_items: Type.Optional(Type.Integer()),
    max_items: Type.Optional(Type.Integer()),
    fields: Type.Optional(Type.Array(KeyframeFieldFacts)),
    recommended: Type.Optional(Type.Number()),
    random_value: Type.Optional(Type.Integer({ description: "Stands for: draw one." })),
    unit: Type.Optional(Type.String()),
    depends_on: Type.Optional(Type.Array(Type.String(), { description: "Pictures without which it has no effect." })),
    label: LocalText,
    help: Type.Optional(LocalText),
    option_labels: Type.Optional(Type.Record(Type.String(), LocalText)),
    group: Type.String({ description: "Section of the form." }),
    control: Type.String({ description: "Hint for the form." }),
  },
  { description: "Everything the catalog says about one parameter of a model." },
);
export type ParameterFacts = Static<typeof ParameterFacts>;

export const PresetFacts = Type.Object({
  id: Type.String(),
  label: LocalText,
  description: Type.Optional(LocalText),
  values: Type.Record(Type.String(), Type.Number(), { description: "Parameters it sets." }),
  smallest: Type.Optional(
    Type.Object({ width: Type.Integer(), height: Type.Integer() }, { description: "Smallest size of this aspect." }),
  ),
  smallest_size: Type.Optional(Type.Boolean({ description: "Also go to the smallest size of the chosen aspect." })),
});

export const LicenceFacts = Type.Object({
  name: Type.String(),
  names: Type.Optional(LocalText),
  link: Type.String(),
  commercial_use: choice(["allowed", "restricted", "forbidden"]),
  note: LocalText,
});

/** What the catalog says about a model; the same on every installation. */
const catalogFacts = {
  id: Type.String(),
  aliases: Type.Array(Type.String(), { description: "Accepted in place of the id." }),
  name: Type.String(),
  family: Type.String(),
  type: choice(["image", "video"]),
  category: Type.String(),
  description: Type.String({ description: "In English." }),
  descriptions: LocalText,
  modes: Type.Array(Type.String(), { description: "Ids, default first; mode_details has more about each." }),
  default_mode: Type.String(),
  mode_details: Type.Array(ModeFacts),
  parameters_schema: Type.Record(Type.String(), ParameterFacts, {
    description: "Every parameter of any mode by its name, in the order of the form.",
  }),
  fixed_parameters: Type.Record(Type.String(), optionValue(), { description: "The locked ones with their values." }),
  presets: Type.Object({
    aspect: Type.Array(PresetFacts),
    duration: Type.Array(PresetFacts),
    quality: Type.Array(PresetFacts),
  }),
  recommended_resolutions: Type.Array(Type.Object({ width: Type.Integer(), height: Type.Integer() })),
  licence: LicenceFacts,
  notes: Type.Array(
    Type.Object({
      parameter: Type.String(),
      when: Type.Optional(Type.Object({ parameter: Type.String(), equals: optionValue() })),
      text: LocalText,
    }),
    { description: "What has no effect, and when." },
  ),
} as const;

export const CatalogModel = Type.Object(catalogFacts);
export type CatalogModel = Static<typeof CatalogModel>;

export const Model = Type.Object(
  {
    ...catalogFacts,
    available: Type.Boolean({ description: "Whether a task for it would be accepted now." }),
    executor: nullableString({ description: "What would run it: embedded, or the kind of worker." }),
    engine: nullableString({ description: "What would make the result; sketch is the bundled miniature." }),
    engine_notice: nullable(Notice),
    unavailable_reason: nullable(Notice),
    unavailable_modes: Type.Array(Type.String(), { description: "Modes that cannot run although the model can." }),
    limits: Type.Array(Notice, {
      description: "What cannot be honoured here, such as a file type without an encoder.",
    }),
  },
  { description: "A model: what the catalog says, and whether it can run here and now." },
);
export type Model = Static<typeof Model>;

export const Models = Type.Object(
  {
    catalog_version: Type.String({ description: "Stored with each task." }),
    known_words: Type.Array(Type.String(), {
      description:
        "Every word that the sketch engine knows, in lower case; it ignores others. Empty while it runs no model.",
    }),
    models: Type.Array(Model, { description: "Always the same four; what cannot run says why." }),
  },
  { description: "The catalog, and what can run here." },
);
export type Models = Static<typeof Models>;
