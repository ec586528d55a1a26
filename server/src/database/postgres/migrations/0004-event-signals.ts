import type { PostgresMigration } from "./migration.ts";

/** What an event means to the parts of a server that act on it: a gateway that reads it from the log has nothing else to go by. */
export const eventSignals: PostgresMigration = {
  number: 4,
  name: "event signals",
  sql: `ALTER TABLE events ADD COLUMN signal TEXT COLLATE "C" NOT NULL DEFAULT 'none';`,
};
