import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Problem } from "@safelight/contract";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SafelightError } from "../errors.ts";
import { type Edge, openEdge } from "../testing/edge.ts";
import { exactRequest } from "../testing/exact-request.ts";
import { problemOf } from "./problems.ts";

let edge: Edge;
let base = "";
beforeAll(async () => {
  edge = await openEdge();
  base = await edge.listen();
});
afterAll(() => edge.close());

const isProblem = new Ajv({ strict: false }).compile(Problem);

/** Writes bytes as they are and reads until the server hangs up or falls silent. */
async function speak(...pieces: string[]): Promise<{ status: number; head: string; body: string }> {
  const socket = connect(Number(new URL(base).port), "127.0.0.1");
  await once(socket, "connect");
  const closed = once(socket, "close");
  let text = "";
  socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  socket.on("error", () => undefined);
  for (const piece of pieces) {
    socket.write(piece);
    await pause(20);
  }
  await Promise.race([closed, pause(300)]);
  socket.destroy();
  const [head = "", body = ""] = text.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), head, body };
}

const key = () => `Host: localhost\r\nX-API-Key: ${edge.apiKey}\r\n`;

describe("SC-005: what is not even HTTP is refused in the one form too", () => {
  test.each([
    ["nonsense", () => "nonsense\r\n\r\n", "method_not_allowed"],
    ["a broken header", () => `GET /health HTTP/1.1\r\n${key()}no colon here\r\n\r\n`, "malformed_json"],
    [
      "two lengths",
      () => `POST /generate HTTP/1.1\r\n${key()}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`,
      "malformed_json",
    ],
    [
      "length and chunks",
      () => `POST /generate HTTP/1.1\r\n${key()}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "malformed_json",
    ],
    [
      "a broken chunk",
      () =>
        `POST /auth/session HTTP/1.1\r\n${key()}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      "malformed_json",
    ],
    [
      "a head of 100 kB",
      () => `GET /health HTTP/1.1\r\n${key()}X-Long: ${"a".repeat(100_000)}\r\n\r\n`,
      "payload_too_large",
    ],
    ["an unknown method", () => `FROB /health HTTP/1.1\r\n${key()}\r\n`, "method_not_allowed"],
    ["an address with a blank", () => `GET /a b HTTP/1.1\r\n${key()}\r\n`, "malformed_json"],
  ])("%s", async (_what, bytes, code) => {
    const { status, head, body } = await speak(bytes());
    expect(head).toContain("Content-Type: application/problem+json");
    const problem = JSON.parse(body) as Problem;
    expect(isProblem(problem), body).toBe(true);
    expect(problem).toMatchObject({ code, status });
  });

  test("a request without Host", async () => {
    const { body } = await speak("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n");
    expect(JSON.parse(body)).toMatchObject({ code: "host_not_allowed" });
  });

  test("methods that HTTP knows and this server does not", async () => {
    for (const method of ["PROPFIND", "TRACE", "SEARCH", "PATCH"]) {
      const { head, body } = await speak(`${method} /health HTTP/1.1\r\n${key()}Connection: close\r\n\r\n`);
      expect(JSON.parse(body)).toMatchObject({ code: "method_not_allowed" });
      expect(head.toLowerCase()).toContain("allow: get, head, options");
    }
  });

  test("bytes after the end of a body spoil neither the answer before them nor the next", async () => {
    const head = `POST /auth/session HTTP/1.1\r\n${key()}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n`;
    const { head: first, body } = await speak(`${head}{}`, "{}\r\n\r\n");
    expect(first).toContain("201 Created");
    expect(body).toContain("session_status");
    // While a film is on its way, nothing is written into the middle of it.
    const download = await speak(`GET /docs/swagger-ui.js HTTP/1.1\r\n${key()}\r\nnonsense\r\n\r\n`);
    expect(download.body.includes("problem+json")).toBe(false);
  });
});

describe("bodies", () => {
  const send = (path: string, body: string, type = "application/json") =>
    fetch(`${base}${path}`, { method: "POST", body, headers: { "x-api-key": edge.apiKey, "content-type": type } });
  const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as Problem).code];

  test("64 MiB of JSON are read; more is refused, and its sender gets to read that", async () => {
    const filled = (bytes: number) => {
      const frame = '{"model":"pony","prompt":""}';
      return `${frame.slice(0, -2)}${"x".repeat(bytes - frame.length)}"}`;
    };
    const limit = 64 * 1024 * 1024;
    expect(await codeOf(await send("/generate", filled(limit)))).toEqual([422, "validation_failed"]);
    expect(await codeOf(await send("/generate", filled(limit + 1)))).toEqual([413, "payload_too_large"]);
    expect(await codeOf(await send("/generate", filled(limit + 20_000_000)))).toEqual([413, "payload_too_large"]);
  });

  test("a very deep body is refused, not a crash", async () => {
    expect(await codeOf(await send("/generate", `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`))).toEqual([
      422,
      "validation_failed",
    ]);
    const deep = `{"model":"pony","prompt":"x","steps":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`;
    expect(await codeOf(await send("/generate", deep))).toEqual([422, "validation_failed"]);
    expect((await fetch(`${base}/health`)).status).toBe(200);
  });

  test("what the JSON reader says of a broken body, which quotes it, stays inside", async () => {
    const answer = await send("/generate", '{"prompt": "a very private thing", nonsense}');
    expect(await answer.text()).not.toMatch(/private|nonsense|position/);
    expect(edge.logged.join("")).not.toContain("very private");
  });

  test("JSON under other names is not taken for JSON", async () => {
    for (const type of [
      "application/json-patch+json",
      "application/jsonx",
      "text/json",
      "application/xml",
      "nonsense",
      "application/json, text/html",
    ]) {
      expect([type, ...(await codeOf(await send("/generate", "{}", type)))]).toEqual([
        type,
        415,
        "unsupported_media_type",
      ]);
    }
    expect((await send("/generate", "{}", "application/json; charset=utf-8")).status).toBe(422);
  });
});

test("a slow head does not hold the server up", async () => {
  const socket = connect(Number(new URL(base).port), "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET /health HTTP/1.1\r\nHost: loc");
  const answer = await exactRequest(base, { path: "/health" });
  expect(answer.status).toBe(200);
  socket.destroy();
});

test("a problem lists at most fifty fields", () => {
  const fields = Array.from({ length: 80 }, (_, index) => ({
    field: `f${index}`,
    code: "required",
    message: "is missing",
  }));
  const problem = problemOf(new SafelightError("validation_failed", "no", { fields }), "/generate", "c-1");
  expect(problem.errors).toHaveLength(50);
  expect(isProblem(problem)).toBe(true);
});
