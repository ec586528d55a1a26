import type { Migration } from "./migration.ts";

/** What an event means to the parts of a server that act on it: a gateway that reads it from the log has nothing else to go by. */
export const eventSignals: Migration = {
  number: 13,
  name: "event signals",
  sql: `ALTER TABLE events ADD COLUMN signal TEXT NOT NULL DEFAULT 'none';`,
};
