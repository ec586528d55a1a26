// A gateway without an engine of its own, with worker accounts: what an operator and a program do with it over HTTP.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Account, Status } from "@safelight/contract";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

/** One installation over a folder; its server may be killed and started again. */
export class Gateway {
  readonly #folder: string;
  readonly #environment: Record<string, string>;
  #server: ServerProcess;
  #cookie = "";
  /** What servers that are gone have printed. */
  #printed = "";

  static async start(folder: string, environment: Record<string, string> = {}): Promise<Gateway> {
    const all = { EMBEDDED_ENGINE: "off", LOG_LEVEL: "info", ...environment };
    return new Gateway(folder, all, await startServerProcess(folder, all));
  }

  /** A server that runs already, as seen by an operator and a program. */
  static of(folder: string, server: ServerProcess): Gateway {
    return new Gateway(folder, {}, server);
  }

  private constructor(folder: string, environment: Record<string, string>, server: ServerProcess) {
    this.#folder = folder;
    this.#environment = environment;
    this.#server = server;
  }

  /** Where it was given one. */
  get adminKey(): string {
    return this.#environment["ADMIN_KEY"] ?? "";
  }

  get server(): ServerProcess {
    return this.#server;
  }

  async killAndRestart(): Promise<void> {
    await this.#server.stop("SIGKILL");
    await this.startAgain();
  }

  /** After the server has ended. */
  async startAgain(): Promise<void> {
    this.#printed += this.#server.output();
    const ended = this.#server;
    // Until the new one answers, nobody does.
    this.#server = { ...ended, output: () => "" };
    this.#server = await startServerProcess(this.#folder, this.#environment);
  }

  /** Every log line so far. */
  logged(): Record<string, unknown>[] {
    return `${this.#printed}${this.#server.output()}`
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async logIn(): Promise<void> {
    const given = this.#environment["ADMIN_KEY"];
    const key = given ?? (await readFile(join(this.#folder, "secrets/admin-key"), "utf8")).trim();
    const answer = await fetch(`${this.#server.url}/admin/session`, {
      method: "POST",
      headers: { "X-Admin-Key": key },
    });
    this.#cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  }

  async asAdmin<T>(path: string, method = "GET", body?: unknown): Promise<T> {
    const headers: Record<string, string> = { cookie: this.#cookie };
    if (body !== undefined) headers["content-type"] = "application/json";
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${this.#server.url}${path}`, { method, headers, ...sent });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Registers a worker and waits until it is ready. */
  async addWorker(workspace: string, worker: { url: string; key: string }, slots: number): Promise<void> {
    await this.asAdmin("/admin/accounts", "POST", {
      label: workspace,
      workspace,
      kind: "http",
      base_url: worker.url,
      worker_key: worker.key,
      slots: { image: slots, video: slots },
    });
    for (let tries = 0; (await this.account(workspace)).status !== "ready"; tries += 1) {
      if (tries > 80) throw new Error(`${workspace} did not become ready`);
      // An operator may ask 120 times a minute.
      await sleep(tries < 25 ? 200 : 1_000);
    }
  }

  account(workspace: string): Promise<Account> {
    return this.asAdmin<Account>(`/admin/accounts/${workspace}`);
  }

  /** Submits until it is acknowledged, whatever happens to the server meanwhile; answers the id. */
  async submit(key: string, body: Record<string, unknown>): Promise<string> {
    for (;;) {
      const answer = await this.#ask("/generate", {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(body),
      });
      if (answer?.status === 202) return ((await answer.json()) as { task_id: string }).task_id;
      if (answer !== null && answer.status !== 503) throw new Error(`${answer.status} ${await answer.text()}`);
      await sleep(50);
    }
  }

  /** The status as soon as the task has ended. */
  async ended(id: string): Promise<Status> {
    for (;;) {
      const answer = await this.#ask(`/status/${id}?wait=20`);
      if (answer?.ok === true) {
        const status = (await answer.json()) as Status;
        if (status.status === "done" || status.status === "failed") return status;
      } else await sleep(50);
    }
  }

  async result(id: string): Promise<Buffer> {
    const answer = await this.#ask(`/results/${id}`);
    if (answer?.status !== 200) throw new Error(`the result of ${id} is answered ${answer?.status}`);
    return Buffer.from(await answer.arrayBuffer());
  }

  /** Null while the server is being killed or started. */
  async #ask(path: string, { headers, ...rest }: RequestInit = {}): Promise<Response | null> {
    const all = { "x-api-key": this.#server.apiKey, ...(headers as Record<string, string> | undefined) };
    return await fetch(`${this.#server.url}${path}`, { ...rest, headers: all }).catch(() => null);
  }
}
