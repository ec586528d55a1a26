/** Reading JSON whose shape is not known: anything missing is undefined or empty. */

/** The value at a path of keys. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Readonly<Record<string, unknown>>)[key];
  }
  return here;
}

/** Keys and values of an object, or indices and items of a list. */
export function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

/** The items of a list as text; a single value is a list of one. */
export function textsOf(value: unknown): string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((item: unknown) =>
    typeof item === "string" ? item : JSON.stringify(item),
  );
}
