// The two forms in which a recipe stands in a picture: as JSON, and as JSON inside an XMP packet.

/** Texts longer than this are no recipe: they are not read. */
export const longestText = 1 << 20;

/** A JSON object, or null for anything else. */
export function objectIn(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** The recipe in an XMP packet; null in one that somebody else wrote. */
export function recipeInXmp(packet: string): Record<string, unknown> | null {
  const match = /<safelight:recipe>([^<]*)<\/safelight:recipe>/.exec(packet);
  return match?.[1] === undefined ? null : objectIn(unescaped(match[1]));
}

function unescaped(xml: string): string {
  return xml
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&gt;", ">")
    .replaceAll("&lt;", "<")
    .replaceAll("&amp;", "&");
}
