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
export function readPause(prepare: Prepare): Pause | null {
  const row = prepare("SELECT value FROM settings WHERE key = ?").get(pausedSetting);
  return row === undefined ? null : (JSON.parse(String(row.value)) as Pause);
}

export function queueIsPaused(prepare: Prepare): boolean {
  return readPause(prepare) !== null;
}
