import type { Migration } from "./migration.ts";

/**
 * What the limits remember of the last minute, so that they hold over a restart. A slot is a place in memory, so that there are never
 * more rows than memory holds callers; `hits` are wall-clock milliseconds, oldest first, with spaces between.
 */
export const rateLimits: Migration = {
  number: 10,
  name: "rate limits",
  sql: `
CREATE TABLE rate_limits (
  rule TEXT NOT NULL,
  slot INTEGER NOT NULL,
  key TEXT NOT NULL,
  hits TEXT NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (rule, slot)
) STRICT, WITHOUT ROWID;
`,
};
