/** What of an installation is copied, table by table, in an order in which every row finds the rows it refers to. */
export interface CopiedTable {
  readonly name: string;
  /** Columns that tell its rows apart, in the order in which it is walked. */
  readonly key: readonly string[];
  /** Columns whose numbers the database gives out. */
  readonly numbered?: string;
}

export const copiedTables: readonly CopiedTable[] = [
  { name: "installation", key: ["name"] },
  { name: "settings", key: ["key"] },
  { name: "secret_versions", key: ["name", "fingerprint"] },
  { name: "api_keys", key: ["id"] },
  { name: "sessions", key: ["token_hash"] },
  { name: "admin_sessions", key: ["token_hash"] },
  { name: "worker_accounts", key: ["id"] },
  { name: "worker_account_models", key: ["account_id", "model"] },
  { name: "worker_account_checks", key: ["id"], numbered: "id" },
  { name: "deployments", key: ["number"], numbered: "number" },
  { name: "deployment_log", key: ["deployment", "line"] },
  { name: "webhook_outbox", key: ["sequence"], numbered: "sequence" },
  { name: "uploads", key: ["id"] },
  { name: "tasks", key: ["sequence"], numbered: "sequence" },
  { name: "task_references", key: ["task_id", "parameter", "position"] },
  { name: "removals", key: ["name"] },
  { name: "idempotency", key: ["credential", "key"] },
  { name: "events", key: ["id"], numbered: "id" },
  { name: "audit_checkpoints", key: ["sequence"] },
  // Each row continues the one before it: the database takes one at a time.
  { name: "audit_events", key: ["id"] },
];

/**
 * What is not copied as rows: kept by the database itself from the rows above, set at the end, or of no use elsewhere (`rate_limits`
 * remembers a minute, `audit_pruning` the removal that is going on, the search tables are made anew).
 */
export const otherTables: ReadonlySet<string> = new Set([
  "migrations",
  "queue_size",
  "queue_turns",
  "clock_falls",
  "audit_head",
  "audit_pruning",
  "rate_limits",
  "search_end",
  "task_search",
  "gallery_search",
]);
