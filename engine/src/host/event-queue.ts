import type { EngineEvent } from "../job/job.ts";

/**
 * Unread events kept of each type. Several messages of the child can arrive in one piece, so a reader that keeps up sees
 * every one of them; only for a reader that falls behind the oldest are dropped.
 */
const KEPT = { progress: 256, preview: 16, done: 1 } as const satisfies Record<EngineEvent["type"], number>;

/**
 * Events between a child that must not wait and a reader that may be slow: memory stays bounded, and the newest progress,
 * the newest preview and the end always arrive.
 */
export class EventQueue {
  #events: EngineEvent[] = [];
  #failure: { readonly error: Error } | null = null;
  #wake: (() => void) | null = null;

  push(event: EngineEvent): void {
    this.#events.push(event);
    const same = this.#events.filter(({ type }) => type === event.type);
    const [oldest] = same;
    if (oldest && same.length > KEPT[event.type]) this.#events.splice(this.#events.indexOf(oldest), 1);
    this.#wake?.();
  }

  /** Ends the queue with an error; what is still in it is dropped. */
  fail(error: Error): void {
    this.#failure ??= { error };
    this.#events = [];
    this.#wake?.();
  }

  /** The next event, in order; throws the error that ended the queue. */
  async next(): Promise<EngineEvent> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      const event = this.#events.shift();
      if (event) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
