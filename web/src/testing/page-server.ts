// A server for tests of parts of the page: a real one on a port of its own, which speaks the contract's forms and lets a
// test say what comes next. The page's requests, which name no host, find it.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}

export interface Answer {
  status?: number;
  headers?: Readonly<Record<string, string>>;
  body: unknown;
}

type Answered = Answer | null | Promise<Answer | null>;

export interface PageServer {
  /** Everything that was asked so far, sessions aside. */
  asked: readonly Asked[];
  close: () => Promise<void>;
}

/**
 * `answer` says what comes back; null breaks the connection off. Sessions are given without asking, or as `sessions` says.
 */
export async function openPageServer(
  answer: (asked: Asked) => Answered,
  sessions: (asked: Asked) => Answered = givenSession,
): Promise<PageServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => {
      const path = request.url ?? "";
      const question = { method: request.method ?? "", path, headers: request.headers, body };
      const isSession = path.startsWith("/auth/session");
      if (!isSession) asked.push(question);
      const said = await (isSession ? sessions : answer)(question);
      if (said === null) return response.destroy();
      const type = (said.status ?? 200) >= 400 ? "application/problem+json" : "application/json";
      response.writeHead(said.status ?? 200, { "content-type": type, ...said.headers });
      return response.end(said.status === 204 ? undefined : JSON.stringify(said.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const restore = leadFetchTo(server);
  return {
    asked,
    close: async () => {
      restore();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A refusal in the one form of all refusals. */
export function refusal(status: number, code: string, more: Readonly<Record<string, unknown>> = {}): Answer {
  const body = {
    type: `urn:safelight:problem:${code.replaceAll("_", "-")}`,
    title: code,
    status,
    detail: `Refused: ${code}.`,
    instance: "/",
    code,
    user_action: "Try something else.",
    correlation_id: crypto.randomUUID(),
    ...more,
  };
  return { status, body };
}

/** A session of one hour. */
export function givenSession(): Answer {
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  return { status: 201, body: { status: "active", issued_at: new Date().toISOString(), expires_at } };
}

function leadFetchTo(server: Server): () => void {
  const { port } = server.address() as AddressInfo;
  const { fetch } = globalThis;
  const base = `http://127.0.0.1:${String(port)}`;
  globalThis.fetch = (input, init) => fetch(input instanceof Request ? input : new URL(input, base), init);
  return () => {
    globalThis.fetch = fetch;
  };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString("utf8");
  return request.headers["content-type"]?.startsWith("application/json") ? JSON.parse(text) : text;
}
