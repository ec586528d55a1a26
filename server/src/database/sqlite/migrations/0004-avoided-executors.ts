import type { Migration } from "./migration.ts";

/**
 * Where a task failed before: executors that did not start it or lost it, as a JSON array of names. The next try goes elsewhere where
 * somebody else is able. An earlier release leaves it as it is.
 */
export const avoidedExecutors: Migration = {
  number: 4,
  name: "avoided-executors",
  sql: "ALTER TABLE tasks ADD COLUMN avoided TEXT NOT NULL DEFAULT '[]';",
};
