import Type, { type Static } from "typebox";
import { choice } from "./fields.ts";

export const UploadPath = Type.Object({
  id: Type.String({ description: "Id of an upload: sha256- and 64 hexadecimal digits." }),
});

export const UploadForm = Type.Unsafe<{ file: Blob }>({
  type: "object",
  properties: { file: { type: "string", format: "binary", description: "The picture." } },
  required: ["file"],
  description: "One part named file with a PNG, JPEG or WebP of at most 20 MB and 64 megapixels.",
});

export const Upload = Type.Object(
  {
    id: Type.String({
      pattern: "^sha256-[0-9a-f]{64}$",
      description: "Names these bytes; goes into picture parameters.",
    }),
    type: choice(["image/png", "image/jpeg", "image/webp"], { description: "Found out from the bytes." }),
    bytes: Type.Integer({ minimum: 1 }),
    width: Type.Integer({ minimum: 1, description: "In pixels, as shown (rotation applied)." }),
    height: Type.Integer({ minimum: 1, description: "In pixels, as shown (rotation applied)." }),
    url: Type.String({ description: "Where the picture can be read." }),
  },
  { description: "A reference picture the server holds: as long as a task names it, otherwise 24 hours." },
);
export type Upload = Static<typeof Upload>;
