import type { Context } from "../context/context.ts";

export interface StreamEvent {
  /** The event's place in the log; null for a snapshot and for news that is not kept. */
  id: number | null;
  type: "task.updated" | "task.preview" | "task.deleted" | "stream.reset";
  /** JSON text. */
  data: string;
}

export interface StreamOptions {
  /** One task only; the stream ends after its terminal event. Without it, every task. */
  taskId?: string;
  /** Last-Event-ID as the client sent it. */
  lastEventId?: number;
  signal: AbortSignal;
}

/** Snapshot of what is not ended, then what was missed, then live. Ends quietly when the signal fires. */
export function openEventStream(_context: Context, _options: StreamOptions): AsyncIterable<StreamEvent> {
  throw new Error("not built yet");
}
