import type { EngineEvent } from "../job/job.ts";

/**
 * Events between a child that must not wait and a reader that may be slow. Progress and previews that a newer one has
 * overtaken before they were read are dropped; the newest of each and the end always arrive.
 */
export class EventQueue {
  #events: EngineEvent[] = [];
  #failure: { readonly error: Error } | null = null;
  #wake: (() => void) | null = null;

  push(event: EngineEvent): void {
    if (event.type !== "done") this.#events = this.#events.filter(({ type }) => type !== event.type);
    this.#events.push(event);
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
