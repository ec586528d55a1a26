/** SC-005 and SC-006: every code that a request can meet, each by a real request, each in the one form. */
import { hash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type ErrorCode, errorCodes, Problem, problemContentType } from "@safelight/contract";
import { Ajv } from "ajv";
import type { InjectOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Interrupt } from "../database/sqlite/sqlite-connection.ts";
import { sessionLifetime } from "../sessions/sessions.ts";
import { createTestClock, type Edge, openEdge } from "../testing/edge.ts";
import { failTask, finishTask } from "../testing/stored-tasks.ts";
import { addAccount } from "../worker-accounts/add-account.ts";

/** Codes whose rules belong to parts that are not here yet. */
const later: readonly ErrorCode[] = ["task_not_ended"];

const clock = createTestClock();
let brokenDisk = false;
const interrupt: Interrupt = (operation) => {
  if (brokenDisk && operation === "commit")
    throw Object.assign(new Error("disk full at /secret/place"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
};

let edge: Edge;
let locked: Edge;
let idle: Edge;
let small: Edge;
let strict: Edge;
const ids = { pending: "", done: "", failed: "", gone: "" };
const session = { good: "", revoked: "", expired: "" };

const body = { model: "pony", prompt: "a red boat at sea", width: 512, height: 512 };
const submit = (headers: Record<string, string> = {}, changes: object = {}): InjectOptions => ({
  method: "POST",
  url: "/generate",
  headers,
  payload: { ...body, ...changes },
});
const noKey = { "x-api-key": "" };
const cookie = (token: string) => ({ ...noKey, cookie: `gg_session=${token}` });

async function newSession(): Promise<string> {
  const answer = await edge.inject({ method: "POST", url: "/auth/session" });
  return /gg_session=([^;]+)/.exec(String(answer.headers["set-cookie"]))?.[1] ?? "";
}

async function newTask(): Promise<string> {
  return (await edge.inject(submit())).json<{ task_id: string }>().task_id;
}

beforeAll(async () => {
  edge = await openEdge({ clock, interrupt });
  locked = await openEdge({ environment: { ACCESS_PASSWORD: "open sesame" } });
  idle = await openEdge({
    offers: {
      offer: (model) => {
        if (model === "flux") throw new Error("a bug that names /secret/place");
        return { able: false, reason: { code: "no_workers", detail: "Nobody offers this." } };
      },
    },
  });
  small = await openEdge({ environment: { QUEUE_LIMIT: "1" } });
  await small.inject(submit());
  strict = await openEdge({ limits: { client_session: 1 } });
  await strict.inject({ method: "POST", url: "/auth/session" });
  session.expired = await newSession();
  clock.advance(sessionLifetime + 1);
  [session.good, session.revoked] = [await newSession(), await newSession()];
  await edge.inject({ method: "DELETE", url: "/auth/session", headers: cookie(session.revoked) });
  ids.pending = await newTask();
  ids.done = await newTask();
  ids.failed = await newTask();
  ids.gone = await newTask();
  await finishTask(edge.context, ids.done, Buffer.from("0123456789"));
  await finishTask(edge.context, ids.gone, Buffer.from("0123456789"));
  await edge.context.media.remove(`results/${ids.gone}-1.png`);
  await failTask(edge.context, ids.failed);
  await edge.inject(submit({ "idempotency-key": "first" }));
  await addAccount(edge.context, edge.installation.accounts, {
    label: "Nobody",
    workspace: "gpu-two",
    kind: "http",
    base_url: "http://127.0.0.1:9",
    worker_key: "a-key-for-nobody",
  });
});

afterAll(() => Promise.all([edge, locked, idle, small, strict].map((each) => each?.close())));

interface Case {
  readonly what: string;
  readonly code: ErrorCode;
  readonly send: () => InjectOptions;
  readonly to?: () => Edge;
}

function formOf(parts: readonly string[], boundary = "b"): InjectOptions {
  const payload = `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join("")}--${boundary}--\r\n`;
  return {
    method: "POST",
    url: "/uploads",
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    payload,
  };
}
const filePart = (content: string, name = "file") =>
  `Content-Disposition: form-data; name="${name}"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n${content}`;

const cases: readonly Case[] = [
  { what: "an unknown address", code: "not_found", send: () => ({ url: "/nowhere" }) },
  {
    what: "an unknown address, before Host and credentials are looked at",
    code: "not_found",
    send: () => ({ url: "/nowhere", headers: { host: "evil.example", ...noKey } }),
  },
  { what: "a trailing slash", code: "not_found", send: () => ({ url: "/health/" }) },
  { what: "another case", code: "not_found", send: () => ({ url: "/Health" }) },
  { what: "an unknown upload", code: "not_found", send: () => ({ url: `/uploads/sha256-${"0".repeat(64)}` }) },
  { what: "an address that is no text", code: "not_found", send: () => ({ url: "/status/%zz" }) },
  { what: "a very long address", code: "not_found", send: () => ({ url: `/status/${"a".repeat(3000)}` }) },
  {
    what: "a preview of a task that ended without one",
    code: "not_found",
    send: () => ({ url: `/preview/${ids.failed}` }),
  },
  { what: "a wrong method", code: "method_not_allowed", send: () => ({ method: "DELETE", url: "/health" }) },
  {
    what: "a wrong method, before Host and credentials are looked at",
    code: "method_not_allowed",
    send: () => ({ method: "PUT", url: "/generate", headers: { host: "evil.example", ...noKey } }),
  },
  { what: "HEAD of an event stream", code: "method_not_allowed", send: () => ({ method: "HEAD", url: "/events" }) },
  {
    what: "a foreign host",
    code: "host_not_allowed",
    send: () => ({ url: "/health", headers: { host: "evil.example" } }),
  },
  {
    what: "a host that only begins like ours",
    code: "host_not_allowed",
    send: () => ({ url: "/health", headers: { host: "localhost.evil.example" } }),
  },
  {
    what: "a foreign host beside a foreign origin",
    code: "host_not_allowed",
    send: () => ({ url: "/health", headers: { host: "evil.example", origin: "http://evil.example" } }),
  },
  {
    what: "a foreign origin, before credentials are looked at",
    code: "cors_origin_blocked",
    send: () => ({ url: "/tasks", headers: { origin: "https://evil.example", ...noKey } }),
  },
  {
    what: "the origin null",
    code: "cors_origin_blocked",
    send: () => ({ url: "/health", headers: { origin: "null" } }),
  },
  {
    what: "a foreign origin's preflight",
    code: "cors_origin_blocked",
    send: () => ({
      method: "OPTIONS",
      url: "/generate",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    }),
  },
  {
    what: "a write that says it comes from another site",
    code: "cors_origin_blocked",
    send: () => ({
      method: "POST",
      url: `/cancel/${ids.done}`,
      headers: { "sec-fetch-site": "cross-site", ...cookie(session.good) },
    }),
  },
  {
    what: "one session too many, before Host and Origin are looked at",
    code: "rate_limited",
    send: () => ({ method: "POST", url: "/auth/session", headers: { host: "evil.example" } }),
    to: () => strict,
  },
  { what: "no credential", code: "session_required", send: () => ({ url: "/tasks", headers: noKey }) },
  {
    what: "an empty key, an empty query key and an empty cookie",
    code: "session_required",
    send: () => ({ url: "/tasks?api_key=", headers: { ...noKey, cookie: "gg_session=" } }),
  },
  {
    what: "an unknown cookie",
    code: "session_required",
    send: () => ({ url: "/tasks", headers: cookie("never-issued") }),
  },
  {
    what: "an unknown cookie at the session itself",
    code: "session_required",
    send: () => ({ url: "/auth/session", headers: cookie("never-issued") }),
  },
  { what: "an API key where only a cookie counts", code: "session_required", send: () => ({ url: "/auth/session" }) },
  {
    what: "an expired session",
    code: "session_expired",
    send: () => ({ url: "/tasks", headers: cookie(session.expired) }),
  },
  {
    what: "a revoked session",
    code: "session_expired",
    send: () => ({ url: "/tasks", headers: cookie(session.revoked) }),
  },
  {
    what: "a revoked session at the session itself",
    code: "session_expired",
    send: () => ({ method: "DELETE", url: "/auth/session", headers: cookie(session.revoked) }),
  },
  { what: "a wrong key", code: "invalid_api_key", send: () => ({ url: "/tasks", headers: { "x-api-key": "wrong" } }) },
  {
    what: "a wrong key beside a good cookie",
    code: "invalid_api_key",
    send: () => ({ url: "/tasks", headers: { ...cookie(session.good), "x-api-key": "wrong" } }),
  },
  {
    what: "a wrong key in the query beside a good cookie",
    code: "invalid_api_key",
    send: () => ({ url: "/tasks?api_key=wrong", headers: cookie(session.good) }),
  },
  {
    what: "a wrong header beside a good query",
    code: "invalid_api_key",
    send: () => ({ url: `/tasks?api_key=${edge.apiKey}`, headers: { "x-api-key": "wrong" } }),
  },
  {
    what: "an admin key, which grants nothing here",
    code: "session_required",
    send: () => ({ url: "/tasks", headers: { ...noKey, "x-admin-key": "anything" } }),
  },
  {
    what: "no password",
    code: "invalid_password",
    send: () => ({ method: "POST", url: "/auth/session" }),
    to: () => locked,
  },
  {
    what: "a wrong password",
    code: "invalid_password",
    send: () => ({ method: "POST", url: "/auth/session", payload: { password: "open sesam" } }),
    to: () => locked,
  },
  {
    what: "credentials before the body",
    code: "session_required",
    send: () => ({ ...submit(noKey), payload: "{", headers: { ...noKey, "content-type": "application/json" } }),
  },
  {
    what: "a password that is a number",
    code: "validation_failed",
    send: () => ({ method: "POST", url: "/auth/session", payload: { password: 5 } }),
    to: () => locked,
  },
  {
    what: "a JSON body over the limit",
    code: "payload_too_large",
    send: () => ({ method: "POST", url: "/auth/session", payload: { password: "x".repeat(20_000) } }),
  },
  {
    what: "an upload over the limit",
    code: "payload_too_large",
    send: () => formOf([filePart("x".repeat(20 * 1024 * 1024 + 1))]),
  },
  {
    what: "a form where JSON is due",
    code: "unsupported_media_type",
    send: () => ({
      method: "POST",
      url: "/generate",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      payload: "model=pony",
    }),
  },
  {
    what: "text where JSON is due",
    code: "unsupported_media_type",
    send: () => ({
      method: "POST",
      url: "/generate",
      headers: { "content-type": "text/plain" },
      payload: JSON.stringify(body),
    }),
  },
  {
    what: "JSON that is compressed",
    code: "unsupported_media_type",
    send: () => submit({ "content-encoding": "gzip" }),
  },
  { what: "a form at the session", code: "unsupported_media_type", send: () => formOfSession() },
  {
    what: "JSON where a form is due",
    code: "unsupported_media_type",
    send: () => ({ method: "POST", url: "/uploads", payload: {} }),
  },
  {
    what: "nothing where a form is due",
    code: "unsupported_media_type",
    send: () => ({ method: "POST", url: "/uploads" }),
  },
  { what: "half a JSON body", code: "malformed_json", send: () => json('{"model":') },
  { what: "an empty JSON body", code: "malformed_json", send: () => json("") },
  { what: "no body at all", code: "malformed_json", send: () => ({ method: "POST", url: "/generate" }) },
  { what: "two values in one body", code: "malformed_json", send: () => json("{}{}") },
  {
    what: "a body that reaches for the prototype",
    code: "malformed_json",
    send: () => json('{"__proto__":{"model":"pony"}}'),
  },
  { what: "a list for a body", code: "validation_failed", send: () => json("[]") },
  { what: "null for a body", code: "validation_failed", send: () => json("null") },
  { what: "an unknown parameter", code: "validation_failed", send: () => submit({}, { colour: "red" }) },
  { what: "a missing prompt", code: "validation_failed", send: () => submit({}, { prompt: undefined }) },
  {
    what: "an unknown upload id",
    code: "validation_failed",
    send: () => submit({}, { mode: "img2img", reference_image: `sha256-${"0".repeat(64)}` }),
  },
  {
    what: "a list that begins before its first page",
    code: "validation_failed",
    send: () => ({ url: "/tasks?page=0" }),
  },
  { what: "a foreign cursor", code: "validation_failed", send: () => ({ url: "/tasks?cursor=abc" }) },
  { what: "sorting by what is not sorted", code: "validation_failed", send: () => ({ url: "/tasks?sort=prompt" }) },
  { what: "a date that is none", code: "validation_failed", send: () => ({ url: "/tasks?from=yesterday" }) },
  { what: "waiting for a word", code: "validation_failed", send: () => ({ url: `/status/${ids.pending}?wait=long` }) },
  {
    what: "an idempotency key that is too long",
    code: "validation_failed",
    send: () => submit({ "idempotency-key": "k".repeat(256) }),
  },
  { what: "an upload without its part", code: "validation_failed", send: () => formOf([]) },
  { what: "an upload under another name", code: "validation_failed", send: () => formOf([filePart("x", "picture")]) },
  {
    what: "a field in place of a file",
    code: "validation_failed",
    send: () => formOf(['Content-Disposition: form-data; name="file"\r\n\r\nabc']),
  },
  {
    what: "an upload that breaks off",
    code: "validation_failed",
    send: () => ({ ...formOf([]), payload: `--b\r\n${filePart("x")}` }),
  },
  { what: "what nobody may have drawn", code: "content_refused", send: () => submit({}, { prompt: "a nude child" }) },
  { what: "an unknown model", code: "unknown_model", send: () => submit({}, { model: "sdxl" }) },
  { what: "a mode of another model", code: "unsupported_mode", send: () => submit({}, { mode: "t2v" }) },
  {
    what: "a locked parameter with another value",
    code: "parameter_locked",
    send: () => submit({}, { model: "anisora", steps: 9, width: 720, height: 1280 }),
  },
  { what: "an upload that is no picture", code: "invalid_image", send: () => formOf([filePart("x")]) },
  {
    what: "a data URI that is no picture",
    code: "invalid_image",
    send: () => submit({}, { mode: "img2img", reference_image: "data:image/png;base64,AAAA" }),
  },
  {
    what: "the same idempotency key with another body",
    code: "idempotency_conflict",
    send: () => submit({ "idempotency-key": "first" }, { seed: 7 }),
  },
  {
    what: "a workspace that is not registered",
    code: "proxy_target_invalid",
    send: () => submit({}, { workspace: "gpu-one" }),
  },
  {
    what: "a task inside a workspace that is not registered",
    code: "proxy_target_invalid",
    send: () => ({ url: "/status/gpu-one::01a1fd98-688e-7d77-bb8c-bc42644b7279" }),
  },
  {
    what: "a task inside a workspace where nobody answers",
    code: "worker_unreachable",
    send: () => ({ url: "/status/gpu-two::01a1fd98-688e-7d77-bb8c-bc42644b7279" }),
  },
  { what: "nobody to run it", code: "no_workers", send: () => submit(), to: () => idle },
  { what: "a full queue", code: "queue_full", send: () => submit(), to: () => small },
  {
    what: "an unknown task",
    code: "task_not_found",
    send: () => ({ url: "/status/01a1fd98-688e-7d77-bb8c-bc42644b7279" }),
  },
  {
    what: "a path trick for an id",
    code: "task_not_found",
    send: () => ({ url: "/results/..%2f..%2fsecrets%2fapi-key" }),
  },
  { what: "a result before its time", code: "task_not_ready", send: () => ({ url: `/results/${ids.pending}` }) },
  { what: "a preview before its time", code: "task_not_ready", send: () => ({ url: `/preview/${ids.pending}` }) },
  { what: "the result of a failed task", code: "task_failed", send: () => ({ url: `/results/${ids.failed}` }) },
  { what: "a result whose file has gone", code: "result_gone", send: () => ({ url: `/results/${ids.gone}` }) },
  {
    what: "a range beyond the end",
    code: "range_not_satisfiable",
    send: () => ({ url: `/results/${ids.done}`, headers: { range: "bytes=10-" } }),
  },
  { what: "a bug", code: "internal", send: () => submit({}, { model: "flux" }), to: () => idle },
];

function json(payload: string): InjectOptions {
  return { method: "POST", url: "/generate", headers: { "content-type": "application/json" }, payload };
}

function formOfSession(): InjectOptions {
  return { ...formOf([filePart("x")]), url: "/auth/session" };
}

const isProblem = new Ajv({ strict: false }).compile(Problem);

function expectProblem(answer: Awaited<ReturnType<Edge["inject"]>>, code: ErrorCode, options: InjectOptions): Problem {
  expect(answer.statusCode).toBe(errorCodes[code].status);
  expect(answer.headers["content-type"]).toContain(problemContentType);
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  if (options.method === "HEAD") return { code } as Problem;
  const problem = answer.json<Problem>();
  expect(isProblem(problem), JSON.stringify(isProblem.errors)).toBe(true);
  expect(problem).toMatchObject({ code, status: answer.statusCode, title: errorCodes[code].title });
  expect(problem.correlation_id).toBe(answer.headers["x-correlation-id"]);
  expect(problem.instance).toBe((options.url as string).split("?")[0]);
  expect(answer.body).not.toContain("/secret/place");
  expect(answer.body).not.toContain(edge.folder);
  expect(answer.body).not.toContain("at file:");
  return problem;
}

describe("each refusal has its one code", () => {
  test.each(cases)("$what: $code", async ({ code, send, to }) => {
    const target = to?.() ?? edge;
    const before = (await target.context.database.prepareRead("SELECT id FROM tasks").all()).length;
    const answer = await target.inject(send());
    const problem = expectProblem(answer, code, send());
    if (code === "validation_failed") expect(problem.errors?.length).toBeGreaterThan(0);
    if (code === "method_not_allowed") expect(answer.headers.allow).toMatch(/GET|POST/);
    if (["queue_full", "rate_limited", "task_not_ready"].includes(code))
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    if (code === "range_not_satisfiable") expect(answer.headers["content-range"]).toBe("bytes */10");
    const after = (await target.context.database.prepareRead("SELECT id FROM tasks").all()).length;
    expect(after).toBe(before);
  });

  test("a disk that takes no more: storage_unavailable, and nothing is lost or half there", async () => {
    brokenDisk = true;
    try {
      expectProblem(await edge.inject(submit({ "idempotency-key": "broken" })), "storage_unavailable", submit());
      expectProblem(await edge.inject({ method: "POST", url: `/cancel/${ids.pending}` }), "storage_unavailable", {
        url: `/cancel/${ids.pending}`,
      });
      // FR-023: where a session cannot be stored or a refusal not be written down, nobody is let through.
      expectProblem(await edge.inject({ method: "POST", url: "/auth/session" }), "auth_unavailable", {
        url: "/auth/session",
      });
      const foreign = { url: "/models", headers: { origin: "https://another.example" } };
      expectProblem(await edge.inject(foreign), "auth_unavailable", foreign);
      expect((await edge.inject({ url: `/status/${ids.pending}` })).json()).toMatchObject({ status: "pending" });
    } finally {
      brokenDisk = false;
    }
    expect((await edge.inject(submit({ "idempotency-key": "broken" }))).statusCode).toBe(202);
  });

  test("every code of the contract is met here or waits for its part", () => {
    const met = new Set<ErrorCode>([...cases.map(({ code }) => code), "storage_unavailable", "auth_unavailable"]);
    const missing = (Object.keys(errorCodes) as ErrorCode[]).filter((code) => !met.has(code) && !later.includes(code));
    expect(missing).toEqual([]);
    expect(later.filter((code) => met.has(code))).toEqual([]);
  });

  test("an internal error goes to the log with its cause and the same correlation id, and without the prompt", async () => {
    const answer = await idle.inject(submit({}, { model: "flux", prompt: "a very private thing" }));
    await pause(0);
    const line = idle.logged.find(
      (entry) => entry.includes(String(answer.headers["x-correlation-id"])) && entry.includes('"error"'),
    );
    expect(line).toContain("a bug that names");
    expect(idle.logged.join("")).not.toContain("very private");
  });
});

test("no token, key, password or prompt stands in any log line of all this", () => {
  const text = [edge, locked, idle, small, strict].flatMap(({ logged }) => logged).join("");
  expect(text.length).toBeGreaterThan(1000);
  for (const secret of [
    session.good,
    session.revoked,
    session.expired,
    edge.apiKey,
    "open sesam",
    "a red boat",
    hash("sha256", session.good, "hex"),
  ]) {
    expect(text).not.toContain(secret);
  }
});
