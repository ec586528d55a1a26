// `safelight secrets` against a real server, one that runs and one that it starts itself; and the check of a hub token against a stand-in.
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiKey, SecretChanged, Secrets } from "@safelight/contract";
import { type RunningServer, startServer } from "@safelight/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runHere } from "../testing/command.ts";

let folder: string;
let server: RunningServer;
const data = () => join(folder, "data");
const secretOf = async (name: string) => (await readFile(join(data(), "secrets", name), "utf8")).trim();
const run = (...parameters: string[]) => runHere(["secrets", ...parameters], { DATA_DIR: data() }, folder);
const models = (key: string) =>
  fetch(`${server.url}/models`, { headers: { "x-api-key": key } }).then((answer) => answer.status);

describe("FR-016: with a running server, on its machine, without the admin key", () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "safelight-secrets-"));
    const settings = { PORT: "0", DATA_DIR: data(), LOG_LEVEL: "silent" };
    server = await startServer(settings, { limits: { admin_session: 1e6 } });
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("status tells of every secret and shows none", async () => {
    const { code, text } = await run("status");
    expect(code).toBe(0);
    for (const name of ["api-key", "admin-key", "session-secret", "encryption-key", "audit-key"]) {
      expect(text).toMatch(new RegExp(`^${name} +ok +0 days +generated  [0-9a-f]{12}$`, "m"));
    }
    const values = ["api-key", "admin-key", "session-secret", "encryption-key"].map(secretOf);
    const json = (await run("status", "--json")).text;
    expect((JSON.parse(json) as Secrets).environment).toBe("dev");
    for (const value of await Promise.all(values)) expect(`${text}${json}`).not.toContain(value);
  });

  test("rotate, retire and revoke: what each promises is so when it returns", async () => {
    const first = await secretOf("api-key");
    const rotated = await run("rotate", "api-key", "--overlap", "48");
    expect([rotated.code, rotated.text]).toEqual([0, expect.stringMatching(/former value [0-9a-f]{12} counts until/)]);
    expect(rotated.text).toContain(`new value: ${join(data(), "secrets", "api-key")}`);
    const second = await secretOf("api-key");
    expect([await models(first), await models(second)]).toEqual([200, 200]);
    expect((await run("retire", "api-key")).code).toBe(0);
    expect([await models(first), await models(second)]).toEqual([401, 200]);
    const changed = JSON.parse((await run("revoke", "api-key", "--json")).text) as SecretChanged;
    expect(changed.secret).toMatchObject({ name: "api-key", state: "ok", former: [] });
    expect([await models(second), await models(await secretOf("api-key"))]).toEqual([401, 200]);
    await run("rotate", "api-key", "--now");
    expect(await models(await secretOf("api-key"))).toBe(200);
  });

  test("recover: the admin key is lost, and the command needs none", async () => {
    const lost = await secretOf("admin-key");
    const here = { DATA_DIR: data(), ADMIN_KEY: "a-wrong-admin-key-that-somebody-left-here" };
    expect((await runHere(["secrets", "recover", "admin-key"], here, folder)).code).toBe(0);
    expect(await secretOf("admin-key")).not.toBe(lost);
    const far = await runHere(
      ["secrets", "status", "--url", server.url, "--admin-key", lost],
      { DATA_DIR: folder },
      folder,
    );
    expect([far.code, far.stderr]).toEqual([3, expect.stringContaining("not_let_in")]);
    const known = ["secrets", "status", "--url", server.url, "--admin-key", await secretOf("admin-key")];
    expect((await runHere(known, { DATA_DIR: folder }, folder)).code).toBe(0);
  });

  test("API keys: shown once or saved for their owner only, listed, revoked by name", async () => {
    const made = await run("create-key", "gallery-screen", "--read-only", "--expires-in", "30");
    expect(made.text).toMatch(/^sl_dev_[\w-]{43}\n$/);
    expect(await models(made.text.trim())).toBe(200);
    const saved = await run("create-key", "poster-maker", "-o", "poster.key");
    expect([saved.code, saved.text]).toEqual([0, ""]);
    expect((await stat(join(folder, "poster.key"))).mode & 0o777).toBe(0o600);
    await writeFile(join(folder, "taken.key"), "something else");
    const refused = await run("create-key", "third", "-o", "taken.key");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("revoked again")]);
    const { api_keys: keys } = JSON.parse((await run("keys", "--json")).text) as { api_keys: ApiKey[] };
    expect(keys.map(({ name, scope, state }) => `${name} ${scope} ${state}`).toSorted()).toEqual([
      "gallery-screen read_only active",
      "poster-maker generate active",
      "third generate revoked",
    ]);
    expect((await run("revoke-key", "gallery-screen")).text).toContain("revoked");
    expect(await models(made.text.trim())).toBe(401);
    expect((await run("keys")).text).toMatch(/^poster-maker  generate  active, never used$/m);
  });

  test("what cannot be done is one line", async () => {
    for (const [parameters, code, line] of [
      [["rotate", "nothing"], 2, "not_found"],
      [["rotate", "audit-key"], 2, "not_found"],
      [["rotate", "api-key", "--now", "--overlap", "1"], 2, "either --now or --overlap"],
      [["rotate", "api-key", "--overlap", "721"], 2, "--overlap must be a whole number up to 720"],
      [["revoke-key", "nothing"], 2, "There is no API key nothing"],
      [["create-key", "Not A Name"], 2, "validation_failed"],
    ] as const) {
      const result = await run(...parameters);
      expect([parameters, result.code, result.stderr.trim().split("\n").length]).toEqual([parameters, code, 1]);
      expect(result.stderr).toContain(line);
    }
  });
});

test("FR-016: without a running server the command does it itself, and the next start has what it did", async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-secrets-"));
  try {
    expect((await run("status")).code).toBe(0);
    const first = await secretOf("api-key");
    expect((await run("revoke", "api-key")).code).toBe(0);
    server = await startServer({ PORT: "0", DATA_DIR: data(), LOG_LEVEL: "silent" });
    expect([await models(first), await models(await secretOf("api-key"))]).toEqual([401, 200]);
    await server.close();
    const elsewhere = await runHere(
      ["secrets", "status"],
      { DATA_DIR: data(), SAFELIGHT_ENV: "stage", ...stage },
      folder,
    );
    expect([elsewhere.code, elsewhere.stderr]).toEqual([
      3,
      expect.stringContaining("the data was made in dev, and this is stage"),
    ]);
    const adopted = { DATA_DIR: data(), SAFELIGHT_ENV: "stage", ADOPT_ENVIRONMENT: "dev", ...stage };
    expect((await runHere(["secrets", "status"], adopted, folder)).text).toContain("environment: stage");
    expect((await run("status")).stderr).toMatch(/the data was made in stage/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const stage = {
  API_KEY: "sl_stage_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
  ADMIN_KEY: "an-admin-key-of-stage-that-nobody-guesses-5791",
  ENCRYPTION_KEY: Buffer.from("another 32 bytes for the stage !").toString("base64"),
};

describe("FR-024: the token for model downloads", () => {
  let hub: Server;
  let answer: { status: number; body: unknown };
  const asked: string[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "safelight-hub-"));
    hub = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => hub.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    hub.close();
    await rm(folder, { recursive: true, force: true });
  });

  const token = "hf_token-of-this-test-000000000000";
  const check = (environment: Record<string, string> = {}) => {
    const HF_ENDPOINT = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
    return runHere(["secrets", "check-hub-token"], { HF_ENDPOINT, HF_TOKEN: token, ...environment }, folder);
  };
  const whoami = (accessToken: object) => ({
    type: "user",
    id: "0123456789abcdef01234567",
    name: "somebody",
    auth: {
      type: "access_token",
      accessToken: { displayName: "weights", createdAt: "2026-01-01T00:00:00.000Z", ...accessToken },
    },
  });
  const fine = (permissions: string[], global: string[] = []) =>
    whoami({
      role: "fineGrained",
      fineGrained: { canReadGatedRepos: true, global, scoped: [{ entity: { type: "model" }, permissions }] },
    });

  test.each([
    ["a token that reads", whoami({ role: "read" }), 0, "can only read"],
    ["a token that writes", whoami({ role: "write" }), 1, "can write"],
    [
      "a fine-grained one that reads",
      fine(["repo.content.read"], ["discussion.read"]),
      0,
      "can only read what it names",
    ],
    ["a fine-grained one with more", fine(["repo.content.read", "repo.write"]), 1, "may also: repo.write"],
    [
      "a right for everything of the account",
      fine(["repo.content.read"], ["inference.serverless.write"]),
      1,
      "inference.serverless.write",
    ],
    ["a right that nobody knows yet", fine(["repo.content.read", "repo.everything"]), 1, "repo.everything"],
    ["a kind of token that nobody knows yet", whoami({ role: "oauth" }), 3, "does not say"],
    ["another form", { type: "user" }, 3, "does not say"],
    [
      "rights in another form",
      whoami({ role: "fineGrained", fineGrained: { scoped: [{ permissions: "all" }] } }),
      3,
      "does not say",
    ],
  ])("%s", async (_what, body, code, line) => {
    answer = { status: 200, body };
    const result = await check();
    expect([result.code, result.text]).toEqual([code, expect.stringContaining(line)]);
    expect(asked.at(-1)).toBe(`/api/whoami-v2 Bearer ${token}`);
    expect(result.text + result.stderr).not.toContain(token);
  });

  test("one that the hub does not know is refused, one that cannot be checked is refused in production", async () => {
    answer = { status: 401, body: {} };
    expect((await check()).code).toBe(1);
    answer = { status: 500, body: {} };
    expect((await check()).code).toBe(3);
    expect((await check({ SAFELIGHT_ENV: "prod" })).code).toBe(1);
    expect((await check({ HF_ENDPOINT: "http://hub.example" })).text).toContain("must be an https address");
    await writeFile(join(folder, "token"), `${token}\n`);
    answer = { status: 200, body: whoami({ role: "read" }) };
    expect((await check({ HF_TOKEN: "", HF_TOKEN_FILE: join(folder, "token") })).code).toBe(0);
    expect((await check({ HF_TOKEN: "" })).stderr).toContain("There is no token");
  });
});
