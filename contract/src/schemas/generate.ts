import { catalog, type Mode, type ModelId, requestSchema } from "@safelight/catalog";
import Type, { type Static, type TSchema } from "typebox";
import { taskIdExample } from "./fields.ts";

/** What a program may write; the schema is exact, this type only helps while writing. */
export interface GenerateRequest {
  model: ModelId | "wan-remix";
  mode?: Mode;
  type?: "image" | "video";
  workspace?: string | null;
  prompt: string;
  negative_prompt?: string;
  [parameter: string]: unknown;
}

export interface PairSchema {
  /** Name of the component in the OpenAPI document: "GenerateFluxImg2img". */
  readonly name: string;
  readonly schema: TSchema;
}

/** The request schema of every model and mode, in the order of the catalog. */
export const pairSchemas: readonly PairSchema[] = catalog.models.flatMap((model) =>
  model.modes.map(({ id }) => ({
    name: `Generate${pascal(model.id)}${pascal(id)}`,
    schema: Type.Unsafe<GenerateRequest>({ title: `${model.name}, ${id}`, ...requestSchema(model, id) }),
  })),
);

function pascal(name: string): string {
  return name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export const GenerateBody = Type.Unsafe<GenerateRequest>({
  oneOf: pairSchemas.map(({ schema }) => schema),
  description: "The form of a model and mode. Without mode, the model's default mode is meant.",
});

const url = (path: string): ReturnType<typeof Type.String> =>
  Type.String({
    description: "A path, or an absolute URL where the installation knows its public address.",
    examples: [path],
  });

export const GenerateAnswer = Type.Object(
  {
    task_id: Type.String({ format: "uuid", examples: [taskIdExample] }),
    status: Type.Literal("pending"),
    status_url: url(`/status/${taskIdExample}`),
    result_url: url(`/results/${taskIdExample}`),
    preview_url: url(`/preview/${taskIdExample}`),
    cancel_url: url(`/cancel/${taskIdExample}`),
    events_url: url(`/events/${taskIdExample}`),
  },
  { description: "The task is stored and will run." },
);
export type GenerateAnswer = Static<typeof GenerateAnswer>;

export const GenerateHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description:
        "Makes repeating safe: the same key with the same body gives the first answer again, for at least 24 hours.",
    }),
  ),
});
