import type { PostgresMigration } from "./migration.ts";

/**
 * What one gateway does and others have to know of. Holds are taken for a while: `until` is in milliseconds since the epoch. Sources of
 * deploys are text, named by its SHA-256: whichever gateway runs a deploy finds them. `runner` is the instance that runs one.
 */
export const sharedWork: PostgresMigration = {
  number: 6,
  name: "shared work",
  sql: `
CREATE TABLE holds (
  name TEXT COLLATE "C" NOT NULL,
  holder TEXT COLLATE "C" NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (name, holder)
);

CREATE TABLE deployment_sources (
  hash TEXT COLLATE "C" PRIMARY KEY,
  content TEXT NOT NULL
);

ALTER TABLE deployments ADD COLUMN runner TEXT COLLATE "C";
`,
};
