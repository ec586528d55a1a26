import Type, { type Static } from "typebox";
import { sha256Pattern } from "./task-request.ts";

export const WorkerMediaPath = Type.Object({
  sha256: Type.String({ description: "SHA-256 of the bytes, 64 hexadecimal digits in lower case." }),
});

export const WorkerMediaStored = Type.Object(
  {
    sha256: Type.String({ pattern: sha256Pattern }),
    bytes: Type.Integer({ minimum: 1 }),
  },
  { description: "A picture the worker holds: a day at least after it was last sent or named." },
);
export type WorkerMediaStored = Static<typeof WorkerMediaStored>;

export const WorkerRangeHeaders = Type.Object({
  range: Type.Optional(Type.String({ description: "One byte range, like bytes=0-1023.", examples: ["bytes=0-1023"] })),
});
