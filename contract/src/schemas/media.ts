import Type from "typebox";
import { choice } from "./fields.ts";

export const MediaQuery = Type.Object({
  download: Type.Optional(choice(["0", "1"], { description: "1 names the file for saving instead of showing." })),
  metadata: Type.Optional(choice(["0", "1"], { description: "0 leaves out the recipe embedded in the file." })),
});

export const PreviewQuery = Type.Object({
  ...MediaQuery.properties,
  thumbnail: Type.Optional(
    choice(["0", "1"], {
      description: "1 gives a small still WebP of a done task, its longest side at most 512 pixels.",
    }),
  ),
});

export const RangeHeaders = Type.Object({
  range: Type.Optional(Type.String({ description: "One byte range, like bytes=0-1023.", examples: ["bytes=0-1023"] })),
  "if-range": Type.Optional(Type.String({ description: "ETag for which the range is meant." })),
  "if-none-match": Type.Optional(Type.String({ description: "ETag that is known already; unchanged gives 304." })),
});

export const Media = Type.Unsafe<Blob>({ description: "The bytes of the file." });
