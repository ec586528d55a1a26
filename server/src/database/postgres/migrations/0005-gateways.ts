import type { PostgresMigration } from "./migration.ts";

/** Who serves this installation just now. Times are milliseconds since the epoch. */
export const gatewayTable: PostgresMigration = {
  number: 5,
  name: "gateways",
  sql: `
CREATE TABLE gateways (
  instance TEXT COLLATE "C" PRIMARY KEY,
  started_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  version TEXT COLLATE "C" NOT NULL,
  media TEXT COLLATE "C" NOT NULL,
  url TEXT COLLATE "C"
);
`,
};
