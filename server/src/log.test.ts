import { describe, expect, test } from "vitest";
import { createLog, redact, redactText } from "./log.ts";

const secret = "sup3r-s3cret-value";

function collect() {
  const lines: string[] = [];
  const log = createLog({ level: "debug", destination: { write: (line) => void lines.push(line) } });
  return { log, text: () => lines.join(""), last: () => JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown> };
}

describe("SC-008: nothing secret reaches a log line", () => {
  const names = [
    "apiKey",
    "api_key",
    "API-KEY",
    "x-api-key",
    "X-Admin-Key",
    "adminKey",
    "encryptionKey",
    "worker_key",
    "authorization",
    "cookie",
    "set-cookie",
    "password",
    "accessPassword",
    "session_token",
    "tokenHash",
    "clientSecret",
    "prompt",
    "negative_prompt",
    "completedPrompt",
  ];

  test.each(names)("a field named %s, at every depth from 1 to 8", (name) => {
    const { log, text } = collect();
    for (let depth = 1; depth <= 8; depth += 1) {
      let nested: unknown = { [name]: secret };
      for (let level = 1; level < depth; level += 1) nested = level % 2 === 0 ? [nested] : { inner: nested };
      log.info("nested", { nested });
    }
    log.info("flat", { [name]: secret });
    log.info("whole", { [name]: { deep: [secret] } });
    log.child({ request: { [name]: secret } }).info("child");
    log.info("map", { map: new Map([[name, secret]]) });
    expect(text()).not.toContain(secret);
    expect(text()).toContain("[redacted]");
  });

  test("inside a text: URLs, headers, pictures", () => {
    const { log, text } = collect();
    const picture = `data:image/png;base64,${Buffer.from(secret.repeat(20)).toString("base64")}`;
    for (const carrier of [
      `GET /status/1?api_key=${secret}&wait=3`,
      `GET /status/1?wait=3&api_key=${secret}`,
      `/x?token=${secret}`,
      `/x?access_token=${secret}#part`,
      `cookie: gg_session=${secret}; other=1`,
      `gg_admin_session=${secret}`,
      `Authorization: Bearer ${secret}`,
      `retry with api-key=${secret}`,
    ]) {
      log.info(carrier, { url: carrier, nested: [{ carrier }], at: new Error(carrier) });
    }
    log.info("picture", { image: picture, url: new URL(`http://h/?api_key=${secret}`) });
    expect(text()).not.toContain(secret);
    expect(text()).not.toContain(picture.slice(22, 60));
    expect(text()).toContain("wait=3");
  });

  test("inside errors, their causes and their own fields", () => {
    const { log, text } = collect();
    const cause = Object.assign(new Error(`?api_key=${secret}`), { password: secret, context: { prompt: secret } });
    log.error("failed", { error: new Error("outer", { cause }) });
    expect(text()).not.toContain(secret);
    expect(text()).toContain("outer");
  });

  test("a value that was declared hidden, wherever it stands, in children too", () => {
    const { log, text } = collect();
    const child = log.child({ part: "child" });
    log.hide(secret);
    child.info(`the value is ${secret}`, { note: `x${secret}x`, list: [secret], error: new Error(secret) });
    expect(text()).not.toContain(secret);
  });
});

describe("redact", () => {
  test("leaves what is harmless as it is", () => {
    const value = { task_id: "1", status: 200, ok: true, none: null, list: [1, "two"], when: new Date(0) };
    expect(redact(value)).toEqual({ ...value, when: "1970-01-01T00:00:00.000Z" });
    expect(redactText("stage denoise, step 3 of 8")).toBe("stage denoise, step 3 of 8");
  });

  test("survives cycles, depth, binary data and functions", () => {
    const cycle: Record<string, unknown> = { name: "a" };
    cycle.self = cycle;
    expect(redact(cycle)).toEqual({ name: "a", self: "[circular]" });
    let deep: unknown = "end";
    for (let level = 0; level < 50; level += 1) deep = { deep };
    expect(JSON.stringify(redact(deep))).toContain("[too deep]");
    expect(redact({ bytes: Buffer.alloc(9), call: () => 1, big: 10n })).toEqual({
      bytes: "[9 bytes]",
      call: "[function]",
      big: "10",
    });
  });

  test("shows whether a secret is there, not what it is", () => {
    expect(redact({ password: null, token: undefined, cookie: true })).toEqual({
      password: null,
      token: undefined,
      cookie: true,
    });
  });
});

test("a line is JSON with level, time and the fields of its child", () => {
  const { log, last } = collect();
  log.child({ correlation_id: "c-1" }).warn("careful", { count: 2 });
  expect(last()).toMatchObject({ level: "warn", msg: "careful", correlation_id: "c-1", count: 2 });
  expect(Date.parse(String(last().time))).toBeGreaterThan(0);
});

test("a hidden value is struck out in every form in which a caller could have written it", () => {
  const lines: string[] = [];
  const log = createLog({ level: "debug", destination: { write: (line) => void lines.push(line) } });
  const key = 'a key with "signs" +/=&% of its own';
  log.hide(key);
  const forms = [key, encodeURIComponent(key), JSON.stringify(key), Buffer.from(key).toString("base64url")];
  for (const form of forms) {
    log.info(`before ${form} after`, { path: `/nothing/${form}` });
    expect(log.strike(form)).toContain("[redacted]");
  }
  expect(lines.join("").match(/\[redacted\]/g)).toHaveLength(2 * forms.length);
  expect(lines.join("")).not.toMatch(/signs|a%20key/);
});
