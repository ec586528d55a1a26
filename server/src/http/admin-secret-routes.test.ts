import type { AdminHealth, ApiKey, ApiKeyCreated, SecretChanged, Secrets } from "@safelight/contract";
import type { InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestClock, type Edge, openEdge } from "../testing/edge.ts";
import { finishTask } from "../testing/stored-tasks.ts";

const clock = createTestClock();
const day = 24 * 60 * 60 * 1000;
let edge: Edge;
let cookie = "";

beforeEach(async () => {
  edge = await openEdge({ clock });
  cookie = await logIn(edge);
});
afterEach(() => edge.close());

async function logIn({ app, adminKey }: Edge): Promise<string> {
  const headers = { host: "127.0.0.1", "x-admin-key": adminKey };
  const answer = await app.inject({ method: "POST", url: "/admin/session", headers });
  return String(answer.headers["set-cookie"]).split(";")[0] ?? "";
}

const admin = (method: "GET" | "POST", url: string, payload?: object) =>
  edge.app.inject({
    method,
    url: `/admin/${url}`,
    headers: { host: "127.0.0.1", cookie },
    ...(payload === undefined ? {} : { payload }),
  });
const as = (apiKey: string, request: InjectOptions) =>
  edge.app.inject({ ...request, headers: { host: "127.0.0.1", "x-api-key": apiKey } });
const create = async (payload: object) => (await admin("POST", "api-keys", payload)).json<ApiKeyCreated>();
const rows = (action: string) =>
  edge.context.database.prepareRead("SELECT * FROM audit_events WHERE action = ? ORDER BY id").all(action);
const picture = { model: "pony", prompt: "a red boat", width: 512, height: 512 };

describe("FR-016: API keys", () => {
  test("several, each with its own name, use and end; only a hash is kept", async () => {
    const one = await create({ name: "newsletter" });
    const two = await create({ name: "posters", expires_at: new Date(clock.now() + day).toISOString() });
    expect(one.key).toMatch(/^sl_dev_[\w-]{43}$/);
    expect(one).toMatchObject({
      scope: "generate",
      state: "active",
      last_used_at: null,
      created_by: /^admin-session:/,
    });
    for (const { key } of [one, two]) expect((await as(key, { url: "/models" })).statusCode).toBe(200);
    const sent = await as(one.key, { method: "POST", url: "/generate", payload: picture });
    expect(sent.statusCode).toBe(202);
    clock.advance(day);
    expect((await as(two.key, { url: "/models" })).json()).toMatchObject({
      code: "invalid_api_key",
      detail: expect.stringMatching(/expired/) as string,
    });
    expect((await as(one.key, { url: "/models" })).statusCode).toBe(200);
    cookie = await logIn(edge);
    const listed = (await admin("GET", "api-keys")).json<{ api_keys: ApiKey[] }>().api_keys;
    expect(listed.map(({ name, state }) => [name, state])).toEqual([
      ["posters", "expired"],
      ["newsletter", "active"],
    ]);
    expect(listed[1]?.last_used_at).toBe(new Date(clock.now()).toISOString());
    const stored = await edge.context.database.prepareRead("SELECT * FROM api_keys").all();
    expect(JSON.stringify([stored, edge.logged, listed])).not.toContain(one.key.slice(7));
    await edge.installation.secrets.apiKeys.writeUses();
    expect((await edge.context.database.prepareRead("SELECT max(last_used_at) AS at FROM api_keys").get())?.at).toBe(
      clock.now(),
    );
  });

  test("a key that may only read looks and downloads and changes nothing; using it otherwise is on record", async () => {
    const { key } = await create({ name: "screen", scope: "read_only" });
    const submitted = (await edge.inject({ method: "POST", url: "/generate", payload: picture })).json<{
      task_id: string;
    }>();
    const id = submitted.task_id;
    const refused: InjectOptions[] = [
      { method: "POST", url: "/generate", payload: picture },
      { method: "POST", url: `/cancel/${id}` },
      { method: "PUT", url: `/gallery/${id}/favourite`, payload: { favourite: true } },
      { method: "DELETE", url: `/gallery/${id}` },
      { method: "POST", url: "/gallery/delete", payload: { ids: [id] } },
      { method: "POST", url: "/uploads" },
    ];
    for (const request of refused) {
      const answer = await as(key, request);
      expect([request.url, answer.statusCode, answer.json()]).toEqual([
        request.url,
        401,
        expect.objectContaining({ code: "invalid_api_key", detail: "This API key may only read." }),
      ]);
    }
    expect((await as(key, { url: `/status/${id}` })).json()).toMatchObject({ status: "pending" });
    await finishTask(edge.context, id, Buffer.from("a picture"));
    const reads: InjectOptions[] = [
      { url: "/gallery" },
      { url: `/results/${id}?metadata=1` },
      { method: "HEAD", url: `/results/${id}` },
      { method: "POST", url: "/gallery/export", payload: { ids: [id] } },
    ];
    for (const request of reads) expect([request.url, (await as(key, request)).statusCode]).toEqual([request.url, 200]);
    expect(await rows("secret_access_denied")).toHaveLength(refused.length);
    expect((await rows("secret_access_denied"))[0]).toMatchObject({ target: "api-key:screen", outcome: "failure" });
  });

  test("where keys open sessions, one that may only read opens none", async () => {
    const strict = await openEdge({ environment: { KEYS_ONLY: "1" }, clock });
    try {
      const { key } = await strict.installation.secrets.apiKeys.create(strict.context, {
        name: "screen",
        scope: "read_only",
      });
      const headers = { host: "127.0.0.1", "x-api-key": key };
      const answer = await strict.app.inject({ method: "POST", url: "/auth/session", headers });
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([401, "invalid_api_key"]);
      expect((await strict.inject({ method: "POST", url: "/auth/session" })).statusCode).toBe(201);
    } finally {
      await strict.close();
    }
  });

  test("a session ends with the key that opened it, used or not, also where a password was asked for beside it", async () => {
    const strict = await openEdge({ environment: { KEYS_ONLY: "1", ACCESS_PASSWORD: "four quiet hills" }, clock });
    try {
      const { apiKeys } = strict.installation.secrets;
      const make = (name: string, days?: number) =>
        apiKeys.create(strict.context, {
          name,
          ...(days === undefined ? {} : { expires_at: new Date(clock.now() + days * day).toISOString() }),
        });
      const [guest, friend] = [await make("guest", 2), await make("friend")];
      const open = async (key: string) => {
        const headers = { host: "127.0.0.1", "x-api-key": key };
        const payload = { password: "four quiet hills" };
        const answer = await strict.app.inject({ method: "POST", url: "/auth/session", headers, payload });
        return String(answer.headers["set-cookie"]).split(";")[0] ?? "";
      };
      const [ofGuest, ofFriend, other] = [await open(guest.key), await open(friend.key), await open(strict.apiKey)];
      const code = async (held: string) => {
        const answer = await strict.app.inject({ url: "/models", headers: { host: "127.0.0.1", cookie: held } });
        return answer.statusCode === 200 ? "ok" : answer.json<{ code: string }>().code;
      };
      const codes = async () => [await code(ofGuest), await code(ofFriend), await code(other)];
      for (const hours of [0, 20, 20]) {
        clock.advance(hours * 3_600_000);
        expect(await codes()).toEqual(["ok", "ok", "ok"]);
      }
      clock.advance(8 * 3_600_000);
      expect(await codes()).toEqual(["session_expired", "ok", "ok"]);
      const headers = { host: "127.0.0.1", cookie: await logIn(strict) };
      await strict.app.inject({ method: "POST", url: `/admin/api-keys/${friend.id}/revoke`, headers });
      expect(await codes()).toEqual(["session_expired", "session_expired", "ok"]);
      await strict.app.inject({ method: "POST", url: "/admin/secrets/access-password/revoke", headers });
      expect(await codes()).toEqual(Array<string>(3).fill("session_expired"));
    } finally {
      await strict.close();
    }
  });

  test("a name is not used twice, an end must lie ahead, and nothing else is taken", async () => {
    const { id } = await create({ name: "newsletter" });
    await admin("POST", `api-keys/${id}/revoke`);
    for (const [payload, field] of [
      [{ name: "newsletter" }, "name"],
      [{ name: "posters", expires_at: new Date(clock.now()).toISOString() }, "expires_at"],
      [{ name: "posters", expires_at: "soon" }, "expires_at"],
      [{ name: "Posters" }, "name"],
      [{ name: "posters", scope: "everything" }, "scope"],
      [{ name: "posters", key: "one-of-my-own" }, "key"],
    ] as const) {
      const answer = (await admin("POST", "api-keys", payload)).json<{ code: string; errors: { field: string }[] }>();
      expect([payload, answer.code, answer.errors.map((one) => one.field)]).toEqual([
        payload,
        "validation_failed",
        [field],
      ]);
    }
    expect((await admin("POST", `api-keys/${id}/revoke`)).json()).toMatchObject({ state: "revoked" });
    expect(await rows("revoke_secret")).toHaveLength(1);
    expect((await rows("create_api_key")).map(({ outcome }) => outcome)).toEqual([
      "success",
      ...Array<string>(6).fill("failure"),
    ]);
  });

  test("a key of another environment opens nothing here, and no wrong key leaves a row", async () => {
    const { key } = await create({ name: "newsletter" });
    for (const wrong of [key.replace("sl_dev", "sl_prod"), `${key.slice(0, -1)}~`, "sl_dev_", "x".repeat(5000)]) {
      expect((await as(wrong, { url: "/models" })).json()).toMatchObject({ code: "invalid_api_key" });
    }
    expect(await rows("secret_access_denied")).toEqual([]);
  });
});

describe("FR-016: secrets", () => {
  test("their age is told, and from 90 days on that they are overdue, in the health too", async () => {
    const list = async () => (await admin("GET", "secrets")).json<Secrets>();
    const health = async () =>
      (await admin("GET", "health")).json<AdminHealth>().parts.find(({ name }) => name === "secrets");
    expect((await list()).secrets.map(({ name, state, age_days: age }) => [name, state, age])).toEqual(
      ["api-key", "admin-key", "session-secret", "encryption-key"].map((name) => [name, "ok", 0]),
    );
    expect(await health()).toMatchObject({
      state: "ok",
      detail: expect.stringMatching(/api-key 0, admin-key 0/) as string,
    });
    clock.advance(90 * day);
    cookie = await logIn(edge);
    expect((await list()).secrets.map(({ state }) => state)).toEqual(Array<string>(4).fill("overdue"));
    expect(await health()).toMatchObject({
      state: "degraded",
      detail: expect.stringMatching(/older than 90 days: safelight secrets rotate api-key/) as string,
    });
    await admin("POST", "secrets/session-secret/rotate");
    expect((await list()).secrets.find(({ name }) => name === "session-secret")).toMatchObject({
      state: "ok",
      age_days: 0,
    });
  });

  test("no answer, no log line and no row holds a value", async () => {
    const changed = (await admin("POST", "secrets/api-key/rotate")).json<SecretChanged>();
    const { secrets } = edge.installation;
    const values = [...secrets.values.values(), edge.apiKey, edge.adminKey];
    const all = [changed, (await admin("GET", "secrets")).json(), edge.logged];
    const tables = ["secret_versions", "audit_events", "installation", "admin_sessions"];
    for (const table of tables) all.push(await edge.context.database.prepareRead(`SELECT * FROM ${table}`).all());
    const text = JSON.stringify(all);
    for (const value of values) expect(text).not.toContain(value);
  });

  test("FR-012: each change is one row, with what it was done to and what came of it, and no value", async () => {
    await admin("POST", "secrets/api-key/rotate", { overlap_hours: 0 });
    await admin("POST", "secrets/api-key/recover");
    await admin("POST", "secrets/encryption-key/rotate");
    expect((await admin("POST", "secrets/encryption-key/retire")).json()).toMatchObject({ code: "validation_failed" });
    const revoked = (await admin("POST", "secrets/api-key/revoke", { sessions: true })).json<SecretChanged>();
    expect(revoked.sessions_ended).toBe(1);
    expect((await admin("GET", "secrets")).json()).toMatchObject({ code: "session_expired" });
    const told = await edge.context.database
      .prepareRead("SELECT * FROM audit_events WHERE action LIKE '%_secret' AND action <> 'read_secrets' ORDER BY id")
      .all();
    expect(
      told.map(({ actor_type: actor, action, target, outcome }) => [actor, action, target, outcome].join(" ")),
    ).toEqual([
      "admin rotate_secret api-key success",
      "admin recover_secret api-key success",
      "admin rotate_secret encryption-key success",
      "admin retire_secret encryption-key failure",
      "admin revoke_secret api-key success",
    ]);
    const first = JSON.parse(String(told[0]?.details)) as object;
    expect(first).toEqual({
      secret: "api_key",
      id: expect.any(String) as string,
      old: "revoked",
      accepted_until: null,
    });
  });

  test("what is not there or not to be changed is refused, and that is on record", async () => {
    for (const [url, code] of [
      ["secrets/nothing/rotate", "not_found"],
      ["secrets/audit-key/rotate", "not_found"],
      ["secrets/webhook-secret/revoke", "not_found"],
      ["secrets/worker-key:attic-gpu/rotate", "not_found"],
      ["secrets/worker-key:attic-gpu/retire", "not_found"],
      ["secrets/..%2f..%2fetc/rotate", "not_found"],
      ["api-keys/none/revoke", "not_found"],
    ]) {
      expect([url, (await admin("POST", url ?? "")).json<{ code: string }>().code]).toEqual([url, code]);
    }
    expect((await rows("rotate_secret")).map(({ outcome, target }) => [outcome, target])).toEqual([
      ["failure", "nothing"],
      ["failure", "audit-key"],
      ["failure", "worker-key:attic-gpu"],
      ["failure", null],
    ]);
  });

  test("FR-012: where the row cannot be written nothing is changed", async () => {
    let isBroken = false;
    const broken = await openEdge({
      clock,
      interrupt: (operation) => {
        if (isBroken && operation === "commit")
          throw Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 10 });
      },
    });
    try {
      const { secrets } = broken.installation;
      const headers = { host: "127.0.0.1", cookie: await logIn(broken) };
      isBroken = true;
      for (const verb of ["rotate", "revoke", "recover"]) {
        const answer = await broken.app.inject({ method: "POST", url: `/admin/secrets/api-key/${verb}`, headers });
        expect([verb, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
          verb,
          503,
          "auth_unavailable",
        ]);
      }
      isBroken = false;
      expect(secrets.match("api-key", broken.apiKey)).toMatchObject({ state: "current" });
      expect(secrets.versions("api-key")).toHaveLength(1);
    } finally {
      isBroken = false;
      await broken.close();
    }
  });
});
