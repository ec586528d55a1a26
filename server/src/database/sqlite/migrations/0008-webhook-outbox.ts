import type { Migration } from "./migration.ts";

/** Messages for the operator that are on their way: written with the change they tell of, gone when they have arrived or are given up. */
export const webhookOutbox: Migration = {
  number: 8,
  name: "webhook outbox",
  sql: `
CREATE TABLE webhook_outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  target TEXT NOT NULL,
  body TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_outbox_by_target ON webhook_outbox (target, sequence);
`,
};
