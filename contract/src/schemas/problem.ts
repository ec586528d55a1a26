import { fieldErrorCodes } from "@safelight/catalog";
import Type, { type Static } from "typebox";
import { type ErrorCode, errorCodes } from "../errors.ts";

export const ErrorCodeSchema = Type.Unsafe<ErrorCode>({
  type: "string",
  enum: Object.keys(errorCodes).sort(),
  description: "Every code a refusal can carry; exactly one stands for each refusal.",
});

export const FieldProblem = Type.Object(
  {
    field: Type.String({
      description: "Path of the field, like arbitrary_frames[1].frame_index; empty for the whole body.",
    }),
    code: Type.String({ description: `Kind of mistake. Of the catalog's own: ${fieldErrorCodes.join(", ")}.` }),
    message: Type.String({ description: "One sentence in English." }),
  },
  { description: "What is wrong with one field." },
);
export type FieldProblem = Static<typeof FieldProblem>;

export const Problem = Type.Object(
  {
    type: Type.String({ description: "Name of the kind of problem, a URN." }),
    title: Type.String({ description: "The kind of problem in a few words, the same for every one with this code." }),
    status: Type.Integer({ description: "The HTTP status." }),
    detail: Type.String({ description: "What happened this time." }),
    instance: Type.String({ description: "Path of the request, without its query." }),
    code: ErrorCodeSchema,
    user_action: Type.String({ description: "What the person can do about it." }),
    correlation_id: Type.String({ description: "Finds the request in the server's log." }),
    errors: Type.Optional(Type.Array(FieldProblem, { description: "The fields at fault; at most 50 are listed." })),
  },
  { description: "Every refusal has this form (RFC 9457, application/problem+json)." },
);
export type Problem = Static<typeof Problem>;

export const problemContentType = "application/problem+json";
