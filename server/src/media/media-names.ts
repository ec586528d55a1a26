/** What may stand where in a media store, whichever it is. */

/** A name that the store does not hold (any more). Callers say what that means: a result is gone, an upload unknown. */
export class MediaNotFound extends Error {
  override readonly name = "MediaNotFound";
}

export const mediaFolders = ["results", "previews", "uploads", "thumbnails"] as const;

// One plain folder and one plain file name: nothing in it can climb out of where media lies, whoever made it up.
const namePattern = /^(?:results|previews|uploads|thumbnails)\/[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/** Errors: TypeError for what is no name of a stored file. */
export function checkMediaName(name: string): void {
  if (!isMediaName(name)) throw new TypeError("not a media name");
}

export function isMediaName(name: string): boolean {
  return namePattern.test(name) && !name.includes("..");
}
