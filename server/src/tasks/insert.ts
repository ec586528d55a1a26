import { type CheckedRequest, catalog } from "@safelight/catalog";
import type { Context } from "../context/context.ts";
import type { SqlValue, Transaction } from "../database/database.ts";
import type { TaskRow } from "../database/tables.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";

type NewTaskRow = Omit<TaskRow, "sequence">;

/** Writes a new pending task. A random seed is drawn here and stored as drawn, in its column and among the parameters. */
export async function insertTask(context: Context, tx: Transaction, request: CheckedRequest): Promise<TaskRecord> {
  const row = newTaskRow(context, request);
  const names = Object.keys(row);
  const sql = `INSERT INTO tasks (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")}) RETURNING sequence`;
  const added = await tx.prepare(sql).get(...(Object.values(row) as SqlValue[]));
  return toTaskRecord({ ...row, sequence: Number(added?.sequence) });
}

/** The whole row as it begins, so that the record need not be read back. */
function newTaskRow(context: Context, request: CheckedRequest): NewTaskRow {
  const { parameters } = request;
  const seed = typeof parameters.seed === "number" && parameters.seed >= 0 ? parameters.seed : context.ids.seed();
  const now = context.clock.now();
  return {
    id: context.ids.task(),
    workspace: request.workspace,
    model: request.model,
    type: request.type,
    mode: request.mode,
    prompt: request.prompt,
    negative_prompt: request.negative_prompt,
    parameters: JSON.stringify({ ...parameters, seed }),
    seed,
    catalog_version: catalog.catalog_version,
    status: "pending",
    stage: "queued",
    width: numberOrNull(parameters.width),
    height: numberOrNull(parameters.height),
    frames: request.type === "image" ? 1 : numberOrNull(parameters.num_frames),
    fps: numberOrNull(parameters.fps),
    created_at: now,
    updated_at: now,
    submitted_by: context.actor.id,
    ...untouched,
  };
}

const untouched = {
  progress: 0,
  stage_detail: null,
  step: null,
  steps: null,
  preview_version: 0,
  preview_path: null,
  preview_type: null,
  result_path: null,
  result_type: null,
  result_bytes: null,
  result_sha256: null,
  error_code: null,
  error_msg: null,
  warnings: "[]",
  engine: null,
  engine_version: null,
  completed_prompt: null,
  attempt: 0,
  executor: null,
  run_handle: null,
  lease_owner: null,
  lease_until: null,
  lease_renewed_at: null,
  leased_ms: 0,
  released: 0,
  storing: 0,
  cancel_requested_at: null,
  unable_ms: 0,
  avoided: "[]",
  version: 1,
  started_at: null,
  finished_at: null,
  favourite: 0,
  front: 0,
} as const;

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
