/** The one switch of the queue, kept in the database so that it survives a restart. */
import type { Prepare } from "./read.ts";

export const pausedSetting = "queue_paused";

export interface Pause {
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** Id of the operator, as in the audit log. */
  readonly by: string;
}

/** Since when and by whom the queue is paused, or null. */
export async function readPause(prepare: Prepare): Promise<Pause | null> {
  const row = await prepare("SELECT value FROM settings WHERE key = ?").get(pausedSetting);
  return row === undefined ? null : (JSON.parse(String(row.value)) as Pause);
}

export async function queueIsPaused(prepare: Prepare): Promise<boolean> {
  return (await readPause(prepare)) !== null;
}
