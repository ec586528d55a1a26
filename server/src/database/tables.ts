/**
 * Rows as the code reads and writes them. Times are wall-clock milliseconds since the epoch unless said otherwise, flags are 0
 * or 1, and columns named as JSON hold text.
 */
export interface TaskRow {
  /** Order of arrival; the queue follows it, since ids made by a clock may run backwards. */
  sequence: number;
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
  /** JSON array of executors that did not start it or lost it. */
  avoided: string;
  /** Which credential submitted it, as an actor's id: those that wait take turns by it. "" before this was noted. */
  submitted_by: string;
  /** 1 when an operator put it before all others while it waits. */
  front: number;
  /** Raised by every change that anyone outside can see. */
  version: number;
  created_at: number;
  updated_at: number;
  /** 1 when somebody marked it. */
  favourite: number;
  started_at: number | null;
  finished_at: number | null;
}
