import type { Context } from "../context/context.ts";
import type { Row } from "../database/database.ts";
import type { RunReference, RunRequest } from "../executors/executor.ts";
import { uploadName } from "../media/uploads.ts";
import { keyframesIn } from "../tasks/references.ts";
import { leasedTime } from "../tasks/runtime.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import type { TimeLimits } from "../tasks/time-limits.ts";

// A run must be given some time even when its task has used up nearly all of it; the reaper ends it soon enough.
const SHORTEST_DEADLINE_MS = 1000;

const pictureParameters = ["reference_image", "first_frame_image", "last_frame_image", "arbitrary_frames"] as const;

/** Lends the file of a name in the media store for as long as the run may need it. */
export type LendFile = (name: string) => Promise<string>;

/** The pictures of a task, as `runRequestFor` wants them. */
export function readReferences(context: Context, taskId: string): Promise<Row[]> {
  return context.database
    .prepareRead(
      `SELECT parameter, position, upload_id AS id, uploads.type AS type FROM task_references
       JOIN uploads ON uploads.id = upload_id WHERE task_id = ? ORDER BY parameter, position`,
    )
    .all(taskId);
}

/** What the executor is told about this attempt. Rejects as `lend` does. */
export async function runRequestFor(
  { context, limits }: { readonly context: Context; readonly limits: TimeLimits },
  task: TaskRecord,
  references: readonly Row[],
  lend: LendFile,
): Promise<RunRequest> {
  const { id, attempt, model, type, mode, prompt, negativePrompt, seed } = task;
  const withoutPictures = Object.entries(task.parameters).filter(
    ([name]) => !(pictureParameters as readonly string[]).includes(name),
  );
  return {
    taskId: id,
    attempt,
    model,
    type,
    mode,
    prompt,
    negativePrompt,
    parameters: Object.fromEntries(withoutPictures),
    seed,
    deadlineMs: Math.max(SHORTEST_DEADLINE_MS, limits.worker[type] - leasedTime(context, task, limits)),
    references: await referencesFor(task, references, lend),
    recipe: recipeOf(task),
  };
}

/** Enough to make the result again, and nothing else: the same request gives the same file, byte for byte. */
function recipeOf(task: TaskRecord): Record<string, unknown> {
  return {
    prompt: task.prompt,
    negative_prompt: task.negativePrompt,
    model: task.model,
    mode: task.mode,
    parameters: task.parameters,
    seed: task.seed,
    catalog_version: task.catalogVersion,
  };
}

async function referencesFor(task: TaskRecord, rows: readonly Row[], lend: LendFile): Promise<RunReference[]> {
  return Promise.all(
    rows.map(async (row) => {
      const parameter = String(row.parameter);
      const position = Number(row.position);
      const [id, contentType] = [String(row.id), String(row.type)];
      const path = await lend(uploadName({ id, type: contentType }));
      const place = placeOf(task.parameters, parameter, position);
      return { parameter, position, path, media: { id, contentType }, ...place };
    }),
  );
}

/** Which frame a picture of these parameters stands for, and how closely it is kept. */
export function placeOf(
  parameters: Readonly<Record<string, unknown>>,
  parameter: string,
  position: number,
): Pick<RunReference, "frameIndex" | "strength"> {
  switch (parameter) {
    case "arbitrary_frames": {
      const keyframe = keyframesIn(parameters)[position];
      return { frameIndex: keyframe?.frame_index ?? 0, strength: keyframe?.strength ?? 1 };
    }
    case "first_frame_image":
      return { frameIndex: 0, strength: strengthOf(parameters.first_strength) };
    case "last_frame_image":
      return { frameIndex: Number(parameters.num_frames) - 1, strength: strengthOf(parameters.last_strength) };
    default:
      return { frameIndex: null, strength: strengthOf(parameters.reference_strength) };
  }
}

function strengthOf(value: unknown): number {
  return typeof value === "number" ? value : 1;
}
