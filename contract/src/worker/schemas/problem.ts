import Type, { type Static } from "typebox";
import { FieldProblem } from "../../schemas/problem.ts";
import { type WorkerErrorCode, workerErrorCodes } from "../errors.ts";

export const WorkerErrorCodeSchema = Type.Unsafe<WorkerErrorCode>({
  type: "string",
  enum: Object.keys(workerErrorCodes).sort(),
  description: "Every code a worker can refuse with; exactly one stands for each refusal.",
});

export const WorkerProblem = Type.Object(
  {
    type: Type.String({ description: "Name of the kind of problem, a URN." }),
    title: Type.String({ description: "The kind of problem in a few words, the same for every one with this code." }),
    status: Type.Integer({ description: "The HTTP status." }),
    detail: Type.String({ description: "What happened this time: no paths, no keys, no stack." }),
    instance: Type.String({ description: "Path of the request, without its query." }),
    code: WorkerErrorCodeSchema,
    user_action: Type.String({ description: "What the operator can do about it." }),
    correlation_id: Type.String({ description: "Finds the request in the worker's log." }),
    errors: Type.Optional(Type.Array(FieldProblem, { description: "The fields at fault; at most 50 are listed." })),
  },
  { description: "Every refusal has this form (RFC 9457, application/problem+json)." },
);
export type WorkerProblem = Static<typeof WorkerProblem>;
