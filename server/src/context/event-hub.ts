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
  /** Another gateway has made it, and counts it. */
  elsewhere?: boolean;
}

export type EventType = "task.updated" | "task.preview" | "task.deleted" | "task.favourite";

/** `waiting`: a task wants an executor · `cancelling`: a running task is to stop · `ended`: it is done or failed. */
export type EventSignal = "waiting" | "cancelling" | "progress" | "ended" | "none";

export type EventListener = (event: PublishedEvent) => void;

/** Where gateways share a database: what is committed here and elsewhere is published in the order of the log. */
export interface EventFeed {
  /** An event of this gateway has this place in the log once its transaction is committed: it may be read before the answer to that comes. */
  expect(id: number): void;
  /** An event of this gateway is in the log. Resolves when those who listen here have been told, or when they could not be now. */
  committed(event: PublishedEvent): Promise<void> | void;
  /** Resolves when those who listen here have been told everything up to this place in the log, or when they could not be now. */
  reach(id: number): Promise<void> | void;
}

/** In-process fan-out. Delivery is synchronous and in commit order; a throwing listener harms no other. */
export class EventHub {
  readonly #listeners = new Set<EventListener>();
  readonly #watchers = new Set<EventListener>();
  readonly #queueListeners = new Set<() => void>();
  readonly #missing = new Set<() => void>();
  readonly #onListenerError: (error: unknown) => void;
  #feed: EventFeed | null = null;

  constructor(onListenerError: (error: unknown) => void = () => {}) {
    this.#onListenerError = onListenerError;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Told in the transaction that adds the event; where nobody else writes that says nothing. */
  expect(id: number): void {
    this.#feed?.expect(id);
  }

  /** Publishes what is in the log, now or when its turn has come. */
  committed(event: PublishedEvent): Promise<void> | void {
    if (this.#feed !== null) return this.#feed.committed(event);
    this.publish(event);
  }

  /** Resolves when everything up to this place in the log was published; sooner where that is not possible now. */
  reach(id: number): Promise<void> | void {
    return this.#feed?.reach(id);
  }

  /** From now on what was committed is handed to it. Returns the function that ends it. */
  feedFrom(feed: EventFeed): () => void {
    this.#feed = feed;
    return () => {
      if (this.#feed === feed) this.#feed = null;
    };
  }

  publish(event: PublishedEvent): void {
    for (const listener of this.#watchers) this.#tell(() => listener(event));
    for (const listener of this.#listeners) this.#tell(() => listener(event));
  }

  /** For parts of the server that act or count: they are told everything, before the listeners, and no news is made for them alone. */
  watch(listener: EventListener): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  /** The rules of the queue have changed; no task has. */
  queueChanged(): void {
    for (const listener of this.#queueListeners) this.#tell(listener);
  }

  /** Returns the function that ends it. */
  onQueueChange(listener: () => void): () => void {
    this.#queueListeners.add(listener);
    return () => void this.#queueListeners.delete(listener);
  }

  /** Events were thrown away before they could be published here: who listens looks for itself. */
  missed(): void {
    for (const listener of this.#missing) this.#tell(listener);
    this.queueChanged();
  }

  /** Returns the function that ends it. */
  onMissed(listener: () => void): () => void {
    this.#missing.add(listener);
    return () => void this.#missing.delete(listener);
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#onListenerError(error);
    }
  }
}
