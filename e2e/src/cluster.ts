// Several gateways on one database, each a process with a folder of its own, and a client that goes from one to the next.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Status } from "@safelight/contract";
import { Gateway } from "./gateway.ts";

/** What every gateway of an installation has to be given alike. */
export function sharedSecrets(): Record<string, string> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const draw = () => randomBytes(32).toString("base64url");
  return {
    API_KEY: draw(),
    ADMIN_KEY: draw(),
    ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    SESSION_SECRET: draw(),
    AUDIT_KEY: privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
  };
}

/** An answer with its body, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  json<T>(): T;
}

export class Cluster {
  readonly gateways: readonly Gateway[];
  readonly #apiKey: string;
  #turn = 0;
  #stopped = false;

  /** Starts `count` gateways together on what the environment names. */
  static async start(folder: string, count: number, environment: Record<string, string>): Promise<Cluster> {
    const all = { ...sharedSecrets(), ...environment };
    const starts = Array.from({ length: count }, async (_, index) => {
      const own = join(folder, `gateway-${index + 1}`);
      await mkdir(own);
      return Gateway.start(own, all);
    });
    const begun = await Promise.allSettled(starts);
    const gateways = begun.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const failed = begun.find((one) => one.status === "rejected");
    if (failed !== undefined) {
      await Promise.all(gateways.map((gateway) => gateway.server.stop("SIGKILL")));
      throw failed.reason;
    }
    return new Cluster(gateways, all["API_KEY"] ?? "");
  }

  private constructor(gateways: readonly Gateway[], apiKey: string) {
    this.gateways = gateways;
    this.#apiKey = apiKey;
  }

  gateway(index: number): Gateway {
    const gateway = this.gateways[index];
    if (gateway === undefined) throw new RangeError(`there is no gateway ${index}`);
    return gateway;
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.gateways.map(({ server }) => server.stop(signal)));
  }

  /** What the gateways said of faults, the last lines of each; for failure messages. */
  complaints(): string {
    const said = this.gateways.map((gateway) =>
      gateway
        .logged()
        .filter(({ level }) => level === "error" || level === "warn")
        .slice(-15)
        .map((line) => JSON.stringify(line).slice(0, 400)),
    );
    return said.map((lines, index) => `gateway ${index + 1}:\n${lines.join("\n")}`).join("\n");
  }

  /** As a browser behind a balancer: each request goes to the next gateway, whatever host the address names. */
  readonly fetch: typeof globalThis.fetch = (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    return fetch(`${this.#next().server.url}${pathname}${search}`, init);
  };

  /** Asks the next gateway in turn; null where it is not there, or breaks off in the middle of its answer. */
  async ask(path: string, init: RequestInit = {}): Promise<Answer | null> {
    const headers = { "x-api-key": this.#apiKey, ...(init.headers as Record<string, string> | undefined) };
    try {
      const response = await fetch(`${this.#next().server.url}${path}`, { ...init, headers });
      const body = Buffer.from(await response.arrayBuffer());
      const json = <T>(): T => JSON.parse(body.toString()) as T;
      return { status: response.status, headers: response.headers, body, json };
    } catch {
      return null;
    }
  }

  /** Sends the same submit to one gateway after the other until one acknowledges it; answers the id. */
  async submit(key: string, body: Record<string, unknown>): Promise<string> {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    return (await this.#insist("/generate", init, 202)).json<{ task_id: string }>().task_id;
  }

  /** The status as soon as the task has ended, each wait at another gateway. */
  async ended(id: string): Promise<Status> {
    for (;;) {
      const status = (await this.#insist(`/status/${id}?wait=20`, {}, 200)).json<Status>();
      if (status.status === "done" || status.status === "failed") return status;
    }
  }

  result(id: string): Promise<Answer> {
    return this.#insist(`/results/${id}`, {}, 200);
  }

  /** Until it is answered so. A gateway that is away or cannot serve now is passed over; every other refusal is a fault. */
  async #insist(path: string, init: RequestInit, status: number): Promise<Answer> {
    for (;;) {
      const answer = await this.ask(path, init);
      if (answer?.status === status) return answer;
      if (answer !== null && answer.status !== 503)
        throw new Error(`${path}: ${answer.status} ${answer.body.toString()}`);
      if (this.#stopped) throw new Error(`${path}: the gateways were stopped`);
      await sleep(100);
    }
  }

  #next(): Gateway {
    this.#turn += 1;
    return this.gateway(this.#turn % this.gateways.length);
  }
}
