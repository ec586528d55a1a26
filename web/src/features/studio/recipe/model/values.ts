// What a field of the recipe can hold.

/** A picture that the server holds already. */
export interface Picture {
  /** Id of the upload. */
  id: string;
  name: string;
  /** In pixels; 0 until they are known. */
  width: number;
  height: number;
  /** Length of the file; 0 until it is known. */
  bytes: number;
  url: string;
}

/** One entry of a keyframe list; its numbers by the names the catalog gives them. */
export interface Keyframe {
  picture: Picture;
  values: Record<string, number>;
}

export type Value = string | number | Picture | readonly Keyframe[];

export function pictureIn(value: Value | undefined): Picture | null {
  return typeof value === "object" && "url" in value ? value : null;
}

export function keyframesIn(value: Value | undefined): readonly Keyframe[] {
  return typeof value === "object" && !("url" in value) ? value : [];
}
