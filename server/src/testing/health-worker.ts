import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WorkerHealth, workerHeaders, workerProtocol } from "@safelight/contract/worker";

/** A worker of which only the health is there, and says what a test wants it to say. */
export interface HealthWorker {
  readonly url: string;
  readonly key: string;
  /** Headers and path of every request so far. */
  readonly asked: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** Changes what it answers from now on. */
  health: WorkerHealth;
  /** Takes the place of the answer altogether. */
  answer: ((response: ServerResponse) => void) | null;
  /** The key it accepts; may be changed. */
  accepts: string;
  close(): Promise<void>;
}

/** Listens on loopback on a free port, and accepts a key of its own. */
export async function startHealthWorker(models: readonly string[] = ["pony"]): Promise<HealthWorker> {
  const server = createServer((request, response) => {
    worker.asked.push({ path: request.url ?? "", headers: request.headers });
    response.setHeader(workerHeaders.protocol, String(workerProtocol));
    if (worker.answer !== null) return worker.answer(response);
    if (request.headers.authorization !== `Bearer ${worker.accepts}`) return refuseKey(response);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(worker.health));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const key = `worker-key-${crypto.randomUUID()}`;
  const worker: HealthWorker = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    asked: [],
    health: healthOf(models),
    answer: null,
    accepts: key,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return worker;
}

const films = new Set(["anisora", "phr00t"]);

/** A good answer with these models in place, each in its first mode. */
export function healthOf(models: readonly string[]): WorkerHealth {
  return {
    protocol: workerProtocol,
    worker: { name: "attic", version: "1.2.3" },
    engine: { name: "diffusers", version: "0.1.0", notice: null },
    instance: "b0a4c7de-5d0e-4f3c-9a66-0a0d3f6a2b11",
    uptime_s: 10,
    ready: true,
    models: models.map((id) => {
      const type = films.has(id) ? "video" : "image";
      const mode = { id: type === "image" ? "txt2img" : "t2v", available: true, reason: null };
      return { id, type, available: true, weights: "in_place", reason: null, warm: false, modes: [mode], limits: [] };
    }),
    slots: { image: 1, video: 1, total: 1 },
    busy: { image: 0, video: 0, total: 0 },
    gpus: [],
    memory: null,
    results_kept_s: 86_400,
  };
}

function refuseKey(response: ServerResponse): void {
  const problem = {
    type: "urn:safelight:worker-problem:invalid-worker-key",
    title: "The worker key is missing or wrong",
    status: 401,
    detail: "The key is not the one of this worker.",
    instance: "/health",
    code: "invalid_worker_key",
    user_action: "Enter the key of the worker in its account on the gateway.",
    correlation_id: "0",
  };
  response.writeHead(401, { "content-type": "application/problem+json" }).end(JSON.stringify(problem));
}
