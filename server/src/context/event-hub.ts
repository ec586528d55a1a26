/** What happened, as listeners in this process hear it: after the commit, never before. */
export interface PublishedEvent {
  /** Place in the installation's one sequence; null for news that is not kept (a changed place in the queue). */
  id: number | null;
  /** Of news that is not kept: the newest place in the state that it tells of. */
  asOf?: number;
  taskId: string;
  type: EventType;
  /** The event's data, as JSON text, serialised once for all listeners. */
  data: string;
  /** What inner listeners decide by, so that they need not parse the text. */
  signal: EventSignal;
}

export type EventType = "task.updated" | "task.preview" | "task.deleted" | "task.favourite";

/** `waiting`: a task wants an executor · `cancelling`: a running task is to stop · `ended`: it is done or failed. */
export type EventSignal = "waiting" | "cancelling" | "progress" | "ended" | "none";

export type EventListener = (event: PublishedEvent) => void;

/** In-process fan-out. Delivery is synchronous and in commit order; a throwing listener harms no other. */
export class EventHub {
  readonly #listeners = new Set<EventListener>();
  readonly #watchers = new Set<EventListener>();
  readonly #queueListeners = new Set<() => void>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(onListenerError: (error: unknown) => void = () => {}) {
    this.#onListenerError = onListenerError;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  publish(event: PublishedEvent): void {
    for (const listener of this.#watchers) this.#tell(listener, event);
    for (const listener of this.#listeners) this.#tell(listener, event);
  }

  #tell(listener: EventListener, event: PublishedEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.#onListenerError(error);
    }
  }

  /** For parts of the server that act or count: they are told everything, before the listeners, and no news is made for them alone. */
  watch(listener: EventListener): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  /** The rules of the queue have changed; no task has. */
  queueChanged(): void {
    for (const listener of this.#queueListeners) listener();
  }

  /** Returns the function that ends it. */
  onQueueChange(listener: () => void): () => void {
    this.#queueListeners.add(listener);
    return () => void this.#queueListeners.delete(listener);
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
