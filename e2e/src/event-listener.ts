// Someone who listens to all tasks through the published client, over as many gateways as it takes, and keeps what was heard.
import { createClient } from "@safelight/contract/client";
import type { Cluster } from "./cluster.ts";

export interface Heard {
  readonly id: number;
  readonly type: string;
  readonly taskId: string;
  /** Of a `task.updated`. */
  readonly status: string | null;
}

export class EventListener {
  /** What has a place in the log, in the order in which it came. */
  readonly heard: Heard[] = [];
  /** What a listener should never hear, and what ended its listening. */
  readonly faults: string[] = [];
  /** How often it had to come again. */
  connections = 0;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  /** Hears everything from the beginning of the log on. */
  constructor(cluster: Cluster, apiKey: string) {
    const counted: typeof globalThis.fetch = (input, init) => {
      this.connections += 1;
      return cluster.fetch(input, init);
    };
    const client = createClient({ baseUrl: "http://any.gateway", apiKey, fetch: counted });
    this.#ended = this.#follow(client.events({ lastEventId: 0, retryMs: 250, signal: this.#stop.signal }));
  }

  /** Ids of tasks whose end was heard, once for each time. */
  ends(): string[] {
    return this.heard.flatMap(({ taskId, status }) => (status === "done" || status === "failed" ? [taskId] : []));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #follow(events: ReturnType<ReturnType<typeof createClient>["events"]>): Promise<void> {
    try {
      for await (const { id, type, data } of events) {
        if (type === "stream.reset") this.faults.push(`stream.reset at ${id}`);
        if (id === null) continue;
        const told = data as { task_id?: string; status?: string };
        const before = this.heard.at(-1)?.id ?? 0;
        if (id <= before) this.faults.push(`${id} came after ${before}`);
        this.heard.push({
          id,
          type,
          taskId: told.task_id ?? "",
          status: type === "task.updated" ? (told.status ?? "") : null,
        });
      }
    } catch (error) {
      this.faults.push(`the listening ended: ${String(error)}`);
    }
  }
}
