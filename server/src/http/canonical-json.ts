/** One text for one value: the names of every object sorted, so that the order in which a client writes them does not count. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, entry: unknown) => {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return entry;
    return Object.fromEntries(Object.entries(entry).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}
