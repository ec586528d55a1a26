// For tests: what an operator's routes would answer.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Account, AdminTask, AuditEvent, Deployment, Statistics } from "@safelight/contract";
import { createItem, time } from "../../../testing/sample-tasks.ts";

export function createAccount(workspace: string, fields: Partial<Account> = {}): Account {
  return {
    id: `id-of-${workspace}`,
    label: `Label of ${workspace}`,
    workspace,
    kind: "http",
    base_url: "http://127.0.0.1:8700",
    status: "ready",
    draining: false,
    added_at: time(0),
    updated_at: time(0),
    last_used: null,
    use_count: 0,
    running: { image: 0, video: 0 },
    circuit: { state: "closed", failures: 0, until: null },
    slots: { image: 1, video: 1 },
    min_containers: 0,
    max_containers: 1,
    allow_plain_http: false,
    credentials_changed_at: time(0),
    last_health_at: time(1),
    last_health_status: "ok",
    last_error: null,
    last_error_code: null,
    latency_ms: 12,
    models: [{ id: "flux", modes: ["txt2img"], offered: true }],
    ...fields,
  };
}

export function createAdminTask(id: string, fields: Partial<AdminTask> = {}): AdminTask {
  return { ...createItem(id), executor: null, waiting: [], front: false, ...fields };
}

export function createRecord(id: number, fields: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id,
    timestamp: time(id),
    actor: { type: "admin", id: "admin-session:1" },
    source: "127.0.0.1",
    action: "add_account",
    target: "attic-gpu",
    outcome: "success",
    details: {},
    correlation_id: `request-${id}`,
    previous_hash: null,
    hash: null,
    ...fields,
  };
}

export function createDeployment(id: string, fields: Partial<Deployment> = {}): Deployment {
  return {
    id,
    workspace: "modal-night",
    version: 1,
    kind: "deploy",
    rollback_of: null,
    status: "done",
    error: null,
    base_url: null,
    queued_at: time(0),
    started_at: time(1),
    finished_at: time(31),
    log_lines: 2,
    ...fields,
  };
}

export function createStatistics(fields: Partial<Statistics> = {}): Statistics {
  const spread = { p50: 2, p95: 9 };
  const bucket = (hour: number, done: number, failed: number) => ({
    at: time(hour * 3600),
    submitted: done + failed,
    done,
    failed,
    cancelled: 0,
    wait_seconds: done > 0 ? spread : null,
    run_seconds: done > 0 ? spread : null,
  });
  return {
    from: time(0),
    to: time(3 * 3600),
    step_seconds: 3600,
    buckets: [bucket(0, 4, 1), bucket(1, 0, 0), bucket(2, 7, 2)],
    by_executor: [{ executor: "cellar-gpu", done: 11, failed: 3, run_seconds: spread }],
    storage: { media_bytes: 2_000_000, media_files: 12, database_bytes: 1_000_000, free_bytes: 5_000_000_000 },
    ...fields,
  };
}

/** An answer as the contract shows it, by the name of its file. */
export function readExample(name: string): Record<string, unknown> {
  const file = join(import.meta.dirname, "../../../../../contract/examples", `${name}.json`);
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
}
