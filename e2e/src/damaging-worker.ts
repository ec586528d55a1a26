// Stands in front of a good worker and damages what passes, in one way: for showing that the kit notices.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Passing {
  method: string;
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

export interface Answered {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

export interface Damage {
  /** Changes a request before the worker sees it; an answer is given in the worker's place. */
  request?: (request: Passing) => Answered | undefined;
  /** Changes an answer before the kit sees it. */
  answer?: (answer: Answered, request: Passing) => void | Promise<void>;
}

export interface DamagingWorker {
  readonly url: string;
  damage: Damage;
  close(): Promise<void>;
}

export async function standInFrontOf(url: string): Promise<DamagingWorker> {
  const server = createServer((incoming, outgoing) => {
    pass(url, incoming, worker.damage).then(
      ({ status, headers, body }) => {
        outgoing.writeHead(status, { ...headers, "content-length": body.byteLength }).end(status === 204 ? "" : body);
      },
      () => outgoing.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const worker: DamagingWorker = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    damage: {},
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return worker;
}

async function pass(url: string, incoming: IncomingMessage, damage: Damage): Promise<Answered> {
  const skipped = new Set(["host", "connection", "content-length", "transfer-encoding", "expect"]);
  const headers = Object.entries(incoming.headers).filter(([name]) => !skipped.has(name));
  const request: Passing = {
    method: incoming.method ?? "GET",
    path: incoming.url ?? "/",
    headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
    body: Buffer.concat((await incoming.toArray()) as Buffer[]),
  };
  const given = damage.request?.(request);
  const answer = given ?? (await forward(url, request));
  await damage.answer?.(answer, request);
  return answer;
}

async function forward(url: string, { method, path, headers, body }: Passing): Promise<Answered> {
  const hasBody = body.byteLength > 0 || "content-type" in headers;
  const sent = hasBody && method !== "GET" ? { body: new Uint8Array(body) } : {};
  const response = await fetch(url + path, { method, headers, redirect: "manual", ...sent });
  return {
    status: response.status,
    headers: Object.fromEntries(
      [...response.headers].filter(([name]) => !/^(?:connection|keep-alive|transfer-encoding)$/.test(name)),
    ),
    body: Buffer.from(await response.arrayBuffer()),
  };
}

/** Damage to the JSON of answers to requests that match. */
export function inAnswer(matching: RegExp, change: (body: Record<string, unknown>, request: Passing) => void): Damage {
  return {
    answer: (answer, request) => {
      if (!matching.test(`${request.method} ${request.path}`) || !/json/.test(answer.headers["content-type"] ?? ""))
        return;
      const body = JSON.parse(answer.body.toString("utf8")) as Record<string, unknown>;
      change(body, request);
      answer.body = Buffer.from(JSON.stringify(body));
    },
  };
}

/** Damage to the tasks that are sent. */
export function inTask(
  change: (body: Record<string, unknown> & { parameters?: Record<string, unknown> }) => void,
): Damage {
  return {
    request: (request) => {
      if (request.method !== "POST" || request.path !== "/tasks") return;
      try {
        const body = JSON.parse(request.body.toString("utf8")) as Record<string, unknown>;
        change(body);
        request.body = Buffer.from(JSON.stringify(body));
      } catch {
        // Garbage passes as it is.
      }
    },
  };
}
