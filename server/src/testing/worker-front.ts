// Stands in front of a worker and passes everything on, except what a test wants to answer itself.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Passed {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly authorization: string;
}

export interface WorkerAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

export interface WorkerFront {
  readonly url: string;
  /** Every request so far. */
  readonly passed: Passed[];
  /** Answers in place of the worker; true when it has, or will never. */
  takeOver: ((request: Passed, response: ServerResponse) => boolean) | null;
  /** Changes what the worker answered. */
  alter: ((answer: WorkerAnswer, request: Passed) => void) | null;
  /** The key it is passed on with; as it came unless set. */
  key: ((authorization: string) => string) | null;
  /** Milliseconds before anything is passed on. */
  delay: number;
  close(): Promise<void>;
}

export async function standInFront(target: string): Promise<WorkerFront> {
  const server = createServer((request, response) => {
    passOn(front, target, request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const front: WorkerFront = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed: [],
    takeOver: null,
    alter: null,
    key: null,
    delay: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return front;
}

async function passOn(
  front: WorkerFront,
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", url = "/", headers } = request;
  const asked: Passed = { method, path: url, authorization: headers.authorization ?? "" };
  front.passed.push(asked);
  if (front.takeOver?.(asked, response) === true) return;
  const sent: Record<string, string> = { "safelight-protocol": String(headers["safelight-protocol"]) };
  if (headers["content-type"] !== undefined) sent["content-type"] = headers["content-type"];
  sent.authorization = front.key?.(asked.authorization) ?? asked.authorization;
  const body = method === "GET" ? {} : { body: Buffer.concat((await request.toArray()) as Buffer[]) };
  if (front.delay > 0) await new Promise((resolve) => setTimeout(resolve, front.delay));
  const answered = await fetch(`${target}${url}`, { method, headers: sent, ...body });
  const answer: WorkerAnswer = {
    status: answered.status,
    headers: Object.fromEntries(answered.headers),
    body: Buffer.from(await answered.arrayBuffer()),
  };
  front.alter?.(answer, asked);
  if (answer.status !== 204) answer.headers["content-length"] ??= String(answer.body.byteLength);
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

/** Changes the JSON of an answer that is a task. */
export function inTask(
  change: (task: Record<string, unknown>) => void,
): (answer: WorkerAnswer, request: Passed) => void {
  return (answer, { path }) => {
    if (!/^\/tasks(?:\/[0-9a-f-]+)?(?:\?|$)/.test(path) || answer.status >= 300 || answer.status === 204) return;
    const task = JSON.parse(answer.body.toString()) as Record<string, unknown>;
    change(task);
    answer.body = Buffer.from(JSON.stringify(task));
    answer.headers["content-length"] = String(answer.body.byteLength);
  };
}
