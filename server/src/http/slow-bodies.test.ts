import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { flatPng } from "../testing/pictures.ts";

let edge: Edge;
let port: number;

beforeEach(async () => {
  edge = await openEdge();
  port = Number(new URL(await edge.listen()).port);
});
afterEach(() => edge.close());

interface Slow {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Sends the head, does `meanwhile` once the server has let it in and waits for the body, sends that, and answers what comes back. */
async function ask({ path, headers, body }: Slow, meanwhile: () => Promise<unknown>): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.on("data", (piece) => (answer += String(piece)));
  const head = {
    host: "127.0.0.1",
    connection: "close",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries({ ...head, expect: "100-continue" }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  await once(socket, "data");
  expect(answer).toMatch(/^HTTP\/1\.1 100 /);
  await meanwhile();
  socket.write(body);
  await once(socket, "close");
  return answer;
}

const cookieOf = (answer: { headers: Record<string, unknown> }) =>
  String(answer.headers["set-cookie"]).split(";")[0] ?? "";
const json = { "content-type": "application/json" };
const picture = JSON.stringify({ model: "pony", prompt: "a red boat", width: 512, height: 512 });

describe("FR-016: what was revoked while a body was on its way", () => {
  test("an API key makes no task of it and gets no picture stored for it", async () => {
    const { apiKeys } = edge.installation.secrets;
    const [one, two] = [
      await apiKeys.create(edge.context, { name: "one" }),
      await apiKeys.create(edge.context, { name: "two" }),
    ];
    const revoke = (id: string) => () => apiKeys.revoke(edge.context, id, () => Promise.resolve());
    const generate = { path: "/generate", headers: { ...json, "x-api-key": one.key }, body: picture };
    expect(await ask(generate, () => Promise.resolve())).toContain(" 202 ");
    expect(await ask(generate, revoke(one.id))).toMatch(/ 401 [\s\S]*"code":"invalid_api_key"/);
    expect((await edge.context.database.prepareRead("SELECT count(*) AS n FROM tasks").get())?.n).toBe(1);
    const part = `--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\ncontent-type: image/png\r\n\r\n`;
    const upload = {
      path: "/uploads",
      headers: { "content-type": "multipart/form-data; boundary=x", "x-api-key": two.key },
      body: Buffer.concat([Buffer.from(part), flatPng(64, 64), Buffer.from("\r\n--x--\r\n")]),
    };
    expect(await ask(upload, revoke(two.id))).toMatch(/ 401 [\s\S]*"code":"invalid_api_key"/);
  });

  test("an admin session makes no key of it, a browser's session deletes nothing", async () => {
    const headers = { host: "127.0.0.1", "x-admin-key": edge.adminKey };
    const operator = cookieOf(await edge.app.inject({ method: "POST", url: "/admin/session", headers }));
    const browser = cookieOf(await edge.inject({ method: "POST", url: "/auth/session" }));
    const end = (url: string, cookie: string) => () =>
      edge.app.inject({ method: "DELETE", url, headers: { host: "127.0.0.1", cookie } });
    const create = {
      path: "/admin/api-keys",
      headers: { ...json, cookie: operator },
      body: JSON.stringify({ name: "back-door" }),
    };
    const all = { path: "/gallery/delete", headers: { ...json, cookie: browser }, body: JSON.stringify({ all: true }) };
    expect(await ask(create, end("/admin/session", operator))).toMatch(/ 401 [\s\S]*"code":"session_expired"/);
    expect(await ask(all, end("/auth/session", browser))).toMatch(/ 401 [\s\S]*"code":"session_expired"/);
    expect(edge.installation.secrets.apiKeys.list()).toEqual([]);
    const failed = await edge.context.database
      .prepareRead("SELECT outcome FROM audit_events WHERE action = 'create_api_key'")
      .all();
    expect(failed.map(({ outcome }) => outcome)).toEqual(["failure"]);
  });
});
