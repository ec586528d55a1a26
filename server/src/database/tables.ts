import type { Generated } from "kysely";

/**
 * Every table as kysely sees it. Times are wall-clock milliseconds since the epoch unless said otherwise, flags are 0
 * or 1, and columns named as JSON hold text.
 */
export interface Tables {
  tasks: TaskRow;
  task_references: TaskReferenceRow;
  uploads: UploadRow;
  sessions: SessionRow;
  idempotency: IdempotencyRow;
  queue_size: QueueSizeRow;
  events: EventRow;
  audit_events: AuditEventRow;
  settings: SettingRow;
}

export interface TaskRow {
  /** Order of arrival; the queue follows it, since ids made by a clock may run backwards. */
  sequence: Generated<number>;
  id: string;
  workspace: string | null;
  model: string;
  type: "image" | "video";
  mode: string;
  prompt: string;
  negative_prompt: string;
  /** JSON: every parameter in force, pictures as upload ids, the seed as drawn. */
  parameters: string;
  seed: number;
  catalog_version: string;
  status: "pending" | "processing" | "done" | "failed";
  /** 0 to 100; never falls, not even when a new attempt starts over. */
  progress: number;
  stage: string;
  stage_detail: string | null;
  step: number | null;
  steps: number | null;
  preview_version: number;
  preview_path: string | null;
  preview_type: string | null;
  result_path: string | null;
  result_type: string | null;
  result_bytes: number | null;
  result_sha256: string | null;
  width: number | null;
  height: number | null;
  frames: number | null;
  fps: number | null;
  error_code: string | null;
  error_msg: string | null;
  /** JSON array of {code, parameter?, words?, detail}. */
  warnings: string;
  engine: string | null;
  engine_version: string | null;
  completed_prompt: string | null;
  /** 0 until first claimed, then 1 to 3. */
  attempt: number;
  executor: string | null;
  /** JSON; what the executor gave for picking the run up again. */
  run_handle: string | null;
  /** The dispatcher instance that holds the task, or null. */
  lease_owner: string | null;
  /** Steady milliseconds of the owner; meaningless to any other process. */
  lease_until: number | null;
  lease_renewed_at: number | null;
  /** Milliseconds spent under leases so far, the running one up to its last renewal. */
  leased_ms: number;
  /** 1 when handed back and to be claimed before anything pending. */
  released: number;
  /** 1 when the run has succeeded and its result is being taken in: the executor is free for the next one. */
  storing: number;
  cancel_requested_at: number | null;
  /** Milliseconds that a pending task has seen pass with no executor able to run it. */
  unable_ms: number;
  /** Raised by every change that anyone outside can see. */
  version: number;
  created_at: number;
  updated_at: number;
  started_at: number | null;
  finished_at: number | null;
}

/** Which uploads a task names, and where. `position` counts keyframes from 0; single pictures have 0. */
export interface TaskReferenceRow {
  task_id: string;
  parameter: string;
  position: number;
  upload_id: string;
}

export interface UploadRow {
  /** `sha256-<hex>` of the stored bytes. */
  id: string;
  type: string;
  bytes: number;
  width: number;
  height: number;
  created_at: number;
  last_used_at: number;
}

export interface SessionRow {
  token_hash: string;
  status: "active" | "revoked" | "expired";
  issued_at: number;
  expires_at: number;
  /** JSON. */
  client_context: string;
  revoked_at: number | null;
}

export interface IdempotencyRow {
  credential: string;
  key: string;
  body_hash: string;
  task_id: string;
  /** HTTP status of the kept answer. */
  status: number;
  /** JSON of the kept answer; null once its task was deleted. */
  response: string | null;
  created_at: number;
}

/** One row: how many tasks are pending, kept by triggers. */
export interface QueueSizeRow {
  one: 1;
  waiting: number;
}

export interface EventRow {
  id: Generated<number>;
  task_id: string;
  type: string;
  data: string;
  created_at: number;
}

export interface AuditEventRow {
  id: Generated<number>;
  timestamp: number;
  actor_type: string;
  actor_id: string;
  source: string;
  action: string;
  target: string | null;
  outcome: "success" | "failure";
  details: string;
  correlation_id: string;
  previous_hash: string | null;
  hash: string | null;
}

export interface SettingRow {
  key: string;
  value: string;
}
