// The part of an address after "?": every value is plain text, so that addresses stay readable and can be typed.

export function parseSearchText(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

/** "?model=a&q=red+boat", or "" for nothing; what is undefined, null or empty is left out. */
export function searchText(search: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search) as [
    string,
    string | number | boolean | object | null | undefined,
  ][]) {
    if (value === undefined || value === null || value === "") continue;
    parameters.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
