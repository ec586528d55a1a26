import { fieldErrorCodes } from "@safelight/catalog";
import Type, { type Static } from "typebox";
import { type ErrorCode, errorCodes } from "../errors.ts";
import { choice } from "./fields.ts";

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

export const StorageProblem = Type.Object(
  {
    limit: choice(["disk", "quota"], {
      description: "Which limit: the reserve on the disk (MEDIA_RESERVE) or the quota (MEDIA_QUOTA).",
    }),
    limit_bytes: Type.Integer({ minimum: 0, description: "That limit." }),
    free_bytes: Type.Integer({ minimum: 0, description: "Room on the disk, or below the quota." }),
    needed_bytes: Type.Integer({
      minimum: 0,
      description: "What would have to be free for this request and for all that was accepted before.",
    }),
  },
  { description: "How much room there is, and how much is needed." },
);
export type StorageProblem = Static<typeof StorageProblem>;

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
    storage: Type.Optional(StorageProblem),
  },
  { description: "Every refusal has this form (RFC 9457, application/problem+json)." },
);
export type Problem = Static<typeof Problem>;

export const problemContentType = "application/problem+json";
