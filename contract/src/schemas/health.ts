import Type, { type Static } from "typebox";

export const Health = Type.Object(
  {
    status: Type.Literal("ok", { description: "The process answers." }),
    version: Type.String({ description: "Version of Safelight." }),
    ready: Type.Boolean({ description: "Whether tasks are accepted and run." }),
  },
  { description: "Whether the server lives and is ready." },
);
export type Health = Static<typeof Health>;
