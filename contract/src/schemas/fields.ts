/** Kinds of fields that several messages share. Nullable ones are type lists: faster to write out than unions. */
import Type, { type Static, type TObject, type TSchemaOptions, type TUnsafe } from "typebox";

/** A text or null. */
export function nullableString(options: TSchemaOptions = {}): TUnsafe<string | null> {
  return Type.Unsafe<string | null>({ type: ["string", "null"], ...options });
}

/** A whole number or null. */
export function nullableInteger(options: TSchemaOptions = {}): TUnsafe<number | null> {
  return Type.Unsafe<number | null>({ type: ["integer", "null"], ...options });
}

/** An object or null. */
export function nullable<T extends TObject>(schema: T, options: TSchemaOptions = {}): TUnsafe<Static<T> | null> {
  return Type.Unsafe<Static<T> | null>({ ...schema, ...options, type: ["object", "null"] });
}

/** One of a few texts. */
export function choice<const T extends readonly string[]>(values: T, options: TSchemaOptions = {}): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ type: "string", enum: [...values], ...options });
}

/** One of a few texts, or null. */
export function nullableChoice<const T extends readonly string[]>(
  values: T,
  options: TSchemaOptions = {},
): TUnsafe<T[number] | null> {
  return Type.Unsafe<T[number] | null>({ type: ["string", "null"], enum: [...values, null], ...options });
}

const timeFormat = { format: "date-time", examples: ["2026-03-01T12:00:00.000Z"] };

/** ISO 8601 in UTC, ending in Z. */
export function time(description: string): ReturnType<typeof Type.String> {
  return Type.String({ ...timeFormat, description });
}

/** A time, or null before it has come. */
export function nullableTime(description: string): TUnsafe<string | null> {
  return nullableString({ ...timeFormat, description });
}

/** Why something is as it is, for people and, by its code, for programs. */
export const Notice = Type.Object(
  {
    code: Type.String({ description: "Stable name of the kind of notice; translate by it." }),
    parameter: Type.Optional(Type.String({ description: "The request parameter it is about." })),
    words: Type.Optional(Type.Array(Type.String(), { description: "The words of the prompt it is about." })),
    options: Type.Optional(Type.Array(Type.String(), { description: "The option values it is about." })),
    detail: Type.String({ description: "One sentence in English." }),
  },
  { description: "Something worth knowing that is not an error." },
);
export type Notice = Static<typeof Notice>;

export const taskIdExample = "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11";

export const TaskPath = Type.Object({
  id: Type.String({
    description:
      "Id of a task, a UUID. On the routes for status, result, preview and cancel `workspace::id` addresses a task inside a registered workspace.",
    examples: [taskIdExample, `attic-gpu::${taskIdExample}`],
  }),
});
