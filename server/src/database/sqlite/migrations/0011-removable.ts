import type { Migration } from "./migration.ts";

/** The oldest that may be removed by itself is the first row of this index, however many favourites are older. */
export const removable: Migration = {
  number: 11,
  name: "removable",
  sql: `
CREATE INDEX tasks_removable ON tasks (status, finished_at, sequence)
  WHERE favourite = 0 AND finished_at IS NOT NULL;
`,
};
