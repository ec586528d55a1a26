import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";

/** One picture that a task names. */
export interface TaskReference {
  parameter: string;
  /** Place within the parameter; 0 where it holds one picture. */
  position: number;
  uploadId: string;
}

const singlePictures = ["reference_image", "first_frame_image", "last_frame_image"] as const;

/** Every upload named by the parameters, in the order of the form. */
export function referencesIn(parameters: Readonly<Record<string, unknown>>): TaskReference[] {
  const references: TaskReference[] = [];
  for (const parameter of singlePictures) {
    const uploadId = parameters[parameter];
    if (typeof uploadId === "string") references.push({ parameter, position: 0, uploadId });
  }
  for (const [position, keyframe] of keyframesIn(parameters).entries()) {
    references.push({ parameter: "arbitrary_frames", position, uploadId: keyframe.image });
  }
  return references;
}

export interface Keyframe {
  frame_index: number;
  image: string;
  strength: number;
}

/** The keyframes of the parameters, as checked; none where the mode has none. */
export function keyframesIn(parameters: Readonly<Record<string, unknown>>): readonly Keyframe[] {
  return Array.isArray(parameters.arbitrary_frames) ? (parameters.arbitrary_frames as Keyframe[]) : [];
}

/**
 * Ties the uploads to the task, in the transaction that makes the task, so that the sweep of unused uploads can never
 * take one away in between. An id that nobody uploaded is `validation_failed`.
 */
export async function insertReferences(
  tx: Transaction,
  taskId: string,
  references: readonly TaskReference[],
  now: number,
): Promise<void> {
  for (const { parameter, position, uploadId } of references) {
    const { changes } = await tx.prepare("UPDATE uploads SET last_used_at = ? WHERE id = ?").run(now, uploadId);
    if (Number(changes) === 0) throw unknownUpload(parameter, position);
    await tx
      .prepare("INSERT INTO task_references (task_id, parameter, position, upload_id) VALUES (?, ?, ?, ?)")
      .run(taskId, parameter, position, uploadId);
  }
}

function unknownUpload(parameter: string, position: number): SafelightError {
  const field = parameter === "arbitrary_frames" ? `arbitrary_frames[${position}].image` : parameter;
  const message = "There is no upload with this id; upload the picture again.";
  return new SafelightError("validation_failed", message, { fields: [{ field, code: "unknown_upload", message }] });
}
