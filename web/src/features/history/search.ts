/** What the address says about the history. */
export type HistorySearch = Readonly<Record<string, string>>;

export function parseHistorySearch(search: Record<string, unknown>): HistorySearch {
  return Object.fromEntries(
    Object.entries(search).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
