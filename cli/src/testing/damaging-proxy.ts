// Stands on loopback between a check and a real server and spoils one thing: what is asked, or what is answered.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ProxiedAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export interface Damage {
  /** "POST /generate": method and beginning of the path. */
  at: string;
  /** Changes what reaches the server; `url` holds path and query. */
  ask?: (question: { url: string; headers: IncomingHttpHeaders }) => void;
  /** Told what was sent, piece by piece. */
  hear?: (sent: string) => void;
  /** Changes a whole answer before it goes back. */
  answer?: (answer: ProxiedAnswer) => void;
  /** Changes each piece of an event stream, which ends in an empty line. */
  event?: (text: string) => string;
}

export interface DamagingProxy {
  url: string;
  /** How many exchanges were spoilt. */
  spoilt(): number;
  close(): Promise<void>;
}

/** Passes everything on to `target` but for the damage. */
export async function openDamagingProxy(target: string, damage: Damage): Promise<DamagingProxy> {
  let spoilt = 0;
  const server = createServer((incoming, outgoing) => {
    const applies = `${incoming.method} ${incoming.url}`.startsWith(damage.at);
    if (applies) spoilt += 1;
    pass(target, incoming, outgoing, applies ? damage : { at: "" });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spoilt: () => spoilt,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pass(target: string, incoming: IncomingMessage, outgoing: ServerResponse, damage: Damage): void {
  const question = { url: incoming.url ?? "/", headers: { ...incoming.headers, host: new URL(target).host } };
  damage.ask?.(question);
  const onward = request(target + question.url, { method: incoming.method ?? "GET", headers: question.headers });
  onward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => onward.destroy());
  onward.on("response", (answer) => {
    if ((answer.headers["content-type"] ?? "").startsWith("text/event-stream")) passEvents(answer, outgoing, damage);
    else passWhole(answer, outgoing, damage);
  });
  if (damage.hear !== undefined) incoming.on("data", (chunk: Buffer) => damage.hear?.(chunk.toString("utf8")));
  incoming.pipe(onward);
}

function passWhole(answer: IncomingMessage, outgoing: ServerResponse, damage: Damage): void {
  const chunks: Buffer[] = [];
  answer.on("data", (chunk: Buffer) => chunks.push(chunk));
  answer.on("end", () => {
    const whole: ProxiedAnswer = {
      status: answer.statusCode ?? 502,
      headers: { ...answer.headers },
      body: Buffer.concat(chunks),
    };
    damage.answer?.(whole);
    const { "transfer-encoding": _, ...headers } = whole.headers;
    if (headers["content-length"] !== undefined) headers["content-length"] = String(whole.body.length);
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) outgoing.setHeader(name, value);
    outgoing.writeHead(whole.status).end(whole.body);
  });
}

function passEvents(answer: IncomingMessage, outgoing: ServerResponse, damage: Damage): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  outgoing.flushHeaders();
  let rest = "";
  answer.setEncoding("utf8");
  answer.on("data", (chunk: string) => {
    const pieces = (rest + chunk).split("\n\n");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) outgoing.write(damage.event?.(`${piece}\n\n`) ?? `${piece}\n\n`);
  });
  answer.on("end", () => outgoing.end(rest));
}

/** Replaces the JSON of an answer. */
export function changeJson(answer: ProxiedAnswer, change: (body: Record<string, unknown>) => void): void {
  const body = JSON.parse(answer.body.toString("utf8")) as Record<string, unknown>;
  change(body);
  answer.body = Buffer.from(JSON.stringify(body));
}
