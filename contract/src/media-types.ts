/** File name extensions by content type, of everything that is generated or uploaded here. */
const extensions: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
  "video/mp4": "mp4",
  "video/webm": "webm",
};

/** The extension, without a dot, of files of this content type; "bin" for one that is not ours. */
export function fileExtensionOf(contentType: string): string {
  return extensions[contentType] ?? "bin";
}
