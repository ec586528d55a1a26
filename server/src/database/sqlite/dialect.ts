import type { Dialect } from "../dialect.ts";

export const sqliteDialect: Dialect = {
  // Without statistics SQLite cannot know which index is narrow, and with them its choice would change over time.
  indexedBy: (index) => `INDEXED BY ${index}`,
  isOneOf: (expression) => `${expression} IN (SELECT value FROM json_each(?))`,
  hasWords: () => null,
};
