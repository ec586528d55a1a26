/** FR-020: what is not registered never hears of a request, whatever its address is made of. */
import type { LightMyRequestResponse } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ResolvedAddress } from "../network/destination.ts";
import { createTestClock, type Edge, type EdgeOptions, openEdge } from "../testing/edge.ts";
import { exactRequest } from "../testing/exact-request.ts";
import { openSink, type Sink } from "../testing/recorders.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { disableAccount, updateAccount } from "../worker-accounts/change-account.ts";

const id = "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11";
const nothing = { connections: 0, bytes: 0 };
const clock = createTestClock();
const closers: (() => unknown)[] = [];
let edge: Edge;
let sink: Sink;

beforeEach(async () => {
  sink = await openSink();
  closers.push(() => sink.close());
  edge = await open();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(options: EdgeOptions = {}): Promise<Edge> {
  const opened = await openEdge({ clock, ...options });
  closers.push(() => opened.close());
  return opened;
}

const register = (workspace: string, base_url: string, allow_plain_http = false) =>
  addAccount(edge.context, edge.installation.accounts, {
    label: workspace,
    workspace,
    kind: "http",
    base_url,
    worker_key: "a-worker-key-for-tests",
    allow_plain_http,
  });

const routes = (task: string) =>
  [
    ["GET", `/status/${task}`],
    ["GET", `/status/${task}?wait=1`],
    ["GET", `/results/${task}`],
    ["HEAD", `/results/${task}`],
    ["GET", `/preview/${task}`],
    ["POST", `/cancel/${task}`],
  ] as const;
const ask = (method: "GET" | "HEAD" | "POST", url: string, headers = {}) => edge.inject({ method, url, headers });
const codeOf = (answer: LightMyRequestResponse) =>
  answer.payload === "" ? answer.statusCode : answer.json<{ code: string }>().code;
const rows = () =>
  edge.context.database
    .prepareRead("SELECT * FROM audit_events WHERE action = 'proxy_target_invalid' ORDER BY id")
    .all();

describe("is refused as proxy_target_invalid, and nobody hears of it:", () => {
  test.each([
    ["a workspace that is not registered", "other-gpu"],
    ["the sink's own address", "127.0.0.1"],
    ["an address with its port, encoded", "127.0.0.1%3APORT"],
    ["a URL, encoded", "http%3A%2F%2F127.0.0.1%3APORT%2F"],
    ["a user before the workspace", "attic-gpu%40127.0.0.1%3APORT"],
    ["a path behind the workspace", "attic-gpu%2F..%2F..%2Ftasks"],
    ["a way up", "..%2Fattic-gpu"],
    ["dots", ".."],
    ["a query", "attic-gpu%3Fa%3Db"],
    ["a fragment", "attic-gpu%23a"],
    ["a new line", "attic-gpu%0D%0AHost%3A%20127.0.0.1"],
    ["a trailing new line", "attic-gpu%0A"],
    ["a trailing space", "attic-gpu%20"],
    ["a zero byte", "attic-gpu%00"],
    ["capital letters", "Attic-GPU"],
    ["letters of another script that look the same", "%D0%B0ttic-gpu"],
    ["a full-width hyphen", "attic%EF%BC%8Dgpu"],
    ["an underscore", "attic_gpu"],
    ["too short a name", "ab"],
    ["too long a name", "a".repeat(65)],
    ["a huge name", "a".repeat(250)],
    ["no name", ""],
    ["localhost", "localhost"],
    ["a backslash", "attic-gpu%5C"],
    ["SQL", "attic-gpu'%20OR%201%3D1--"],
    ["a name of JavaScript's own", "constructor"],
  ])("%s", async (_what, written) => {
    await register("attic-gpu", sink.url);
    const workspace = written.replace("PORT", String(sink.port));
    for (const [method, url] of routes(`${workspace}::${id}`)) {
      const answer = await ask(method, url);
      expect(codeOf(answer), `${method} ${url}`).toBe(method === "HEAD" ? 404 : "proxy_target_invalid");
      expect(answer.statusCode).toBe(404);
    }
    expect(sink.heard()).toEqual(nothing);
  });

  test("a disabled workspace, from the moment on that it is disabled", async () => {
    await register("attic-gpu", sink.url);
    await disableAccount(edge.context, edge.installation.accounts, "attic-gpu", false);
    for (const [method, url] of routes(`attic-gpu::${id}`)) expect((await ask(method, url)).statusCode).toBe(404);
    expect(codeOf(await ask("GET", `/status/attic-gpu::${id}`))).toBe("proxy_target_invalid");
    expect(sink.heard()).toEqual(nothing);
  });

  test("encoded and plain colons alike", async () => {
    for (const url of [`/status/other-gpu::${id}`, `/status/other-gpu%3A%3A${id}`, `/status/other-gpu%3a:${id}`]) {
      expect(codeOf(await ask("GET", url))).toBe("proxy_target_invalid");
    }
  });

  test("workspaces of a generation request", async () => {
    const payload = { model: "pony", prompt: "a red boat", workspace: "other-gpu" };
    expect(codeOf(await edge.inject({ method: "POST", url: "/generate", payload }))).toBe("proxy_target_invalid");
    await register("attic-gpu", sink.url);
    await disableAccount(edge.context, edge.installation.accounts, "attic-gpu", false);
    const pinned = { ...payload, workspace: "attic-gpu" };
    expect(codeOf(await edge.inject({ method: "POST", url: "/generate", payload: pinned }))).toBe(
      "proxy_target_invalid",
    );
    expect((await rows()).map(({ target, details }) => [target, JSON.parse(String(details)).reason])).toEqual([
      ["other-gpu", "unregistered"],
    ]);
    expect(sink.heard()).toEqual(nothing);
  });
});

describe("is refused as task_not_found before anything is asked:", () => {
  test.each([
    ["no id", ""],
    ["a short one", "1"],
    ["one with a path", `${id}%2Fresult`],
    ["one with a way up", `..%2F..%2Fhealth`],
    ["one with a query", `${id}%3Fattempt%3D1`],
    ["one with a new line", `${id}%0D%0AX-Evil%3A%201`],
    ["a trailing new line", `${id}%0A`],
    ["capital letters", id.toUpperCase()],
    ["a second workspace", `other-gpu::${id}`],
    ["three colons", `:${id}`],
  ])("%s", async (_what, written) => {
    await register("attic-gpu", sink.url);
    for (const [method, url] of routes(`attic-gpu::${written}`)) {
      expect(codeOf(await ask(method, url)), url).toBe(method === "HEAD" ? 404 : "task_not_found");
    }
    expect(sink.heard()).toEqual(nothing);
  });
});

test("credentials are judged before the workspace (order of checks)", async () => {
  await register("attic-gpu", sink.url);
  for (const [method, url] of [...routes(`attic-gpu::${id}`), ...routes(`other-gpu::${id}`)]) {
    if (method === "HEAD") continue;
    expect(codeOf(await ask(method, url, { "x-api-key": "" })), url).toBe("session_required");
    expect(codeOf(await ask(method, url, { "x-api-key": "wrong" })), url).toBe("invalid_api_key");
    expect(codeOf(await ask(method, url, { host: "evil.example" })), url).toBe("host_not_allowed");
  }
  expect(sink.heard()).toEqual(nothing);
  expect(await rows()).toEqual([]);
});

test("paths with real slashes and dots are no addresses at all", async () => {
  await register("attic-gpu", sink.url);
  const base = await edge.listen();
  for (const path of [
    `/status/attic-gpu::${id}/../../health`,
    `/status/attic-gpu/::${id}`,
    `/results/attic-gpu::${id}/`,
    `/results//attic-gpu::${id}`,
    `/status/http://127.0.0.1:${sink.port}/::${id}`,
    `/status/${"a".repeat(2000)}::${id}`,
    `/status/attic-gpu::${id}%`,
  ]) {
    const answer = await exactRequest(base, { path, headers: { "x-api-key": edge.apiKey } });
    expect(answer.status, path).toBe(404);
    expect(JSON.parse(answer.body).code, path).toBe("not_found");
  }
  // The form in which proxies are asked: the host in it is nobody whom we ask.
  const path = `http://127.0.0.1:${sink.port}/status/other-gpu::${id}`;
  const answer = await exactRequest(base, { path, headers: { "x-api-key": edge.apiKey } });
  expect(JSON.parse(answer.body).code).toBe("proxy_target_invalid");
  expect(sink.heard()).toEqual(nothing);
});

test("routes that know our own tasks only say so, after the same checks", async () => {
  await register("attic-gpu", sink.url);
  const own = (task: string) =>
    [
      ["GET", `/events/${task}`],
      ["GET", `/tasks/${task}`],
      ["DELETE", `/gallery/${task}`],
    ] as const;
  for (const [method, url] of own(`attic-gpu::${id}`)) {
    expect(codeOf(await edge.inject({ method, url })), url).toBe("not_found");
  }
  for (const [method, url] of own(`other-gpu::${id}`)) {
    expect(codeOf(await edge.inject({ method, url })), url).toBe("proxy_target_invalid");
  }
  expect(sink.heard()).toEqual(nothing);
});

describe("FR-012: a refusal is written down", () => {
  test("with actor, source, target and reason, and in the log", async () => {
    await ask("GET", `/status/other-gpu::${id}`);
    const [row, ...more] = await rows();
    expect(more).toEqual([]);
    expect(row).toMatchObject({ actor_type: "client", actor_id: "api-key", target: "other-gpu", outcome: "failure" });
    expect(row?.source).toBe("127.0.0.1");
    expect(JSON.parse(String(row?.details))).toEqual({
      route: "/status/{id}",
      code: "proxy_target_invalid",
      reason: "unregistered",
      earlier: 0,
    });
    expect(edge.logged.filter((line) => line.includes("a request was refused"))).toHaveLength(1);
  });

  test("without what a caller likes to write", async () => {
    await ask("GET", `/status/evil%0Aline::${id}`);
    expect((await rows())[0]).toMatchObject({ target: null });
    expect(JSON.parse(String((await rows())[0]?.details))).toMatchObject({ reason: "bad_format" });
    expect(edge.logged.filter((line) => line.includes("a request was refused")).join("")).not.toContain("evil");
  });

  test("once a minute for each source and route, with a count, whatever names are tried", async () => {
    for (let attempt = 0; attempt < 50; attempt += 1) await ask("GET", `/status/other-${attempt}::${id}`);
    for (let attempt = 0; attempt < 5; attempt += 1) await ask("GET", `/results/other-${attempt}::${id}`);
    expect(await rows()).toHaveLength(2);
    clock.advance(61_000);
    await ask("GET", `/status/other-gpu::${id}`);
    expect(await rows()).toHaveLength(3);
    expect(JSON.parse(String((await rows())[2]?.details))).toMatchObject({ earlier: 49 });
  });
});

describe("a registered workspace whose address is not called", () => {
  const names = (...answers: string[]) => {
    let asked = 0;
    return async (): Promise<ResolvedAddress[]> => {
      const address = answers[Math.min(asked, answers.length - 1)] ?? "";
      asked += 1;
      return [{ address, family: address.includes(":") ? 6 : 4 }];
    };
  };
  const details = () => edge.logged.filter((line) => line.includes("a request failed")).join("");

  test.each([
    ["the metadata service", "169.254.169.254"],
    ["link-local", "169.254.1.1"],
    ["link-local over IPv6", "fe80::1"],
    ["this machine", "127.0.0.1"],
    ["this machine over IPv6", "::1"],
    ["this machine in the clothes of IPv6", "::ffff:127.0.0.1"],
    ["this machine behind 6to4", "2002:7f00:1::"],
    ["this machine behind NAT64", "64:ff9b::127.0.0.1"],
    ["a private network that is not listed", "10.0.0.7"],
    ["a unique local address", "fd00::7"],
    ["shared address space", "100.64.0.7"],
    ["multicast", "224.0.0.1"],
    ["nowhere", "0.0.0.0"],
    ["nowhere over IPv6", "::"],
  ])("because its name points to %s", async (_what, address) => {
    edge = await open({ workers: { resolve: names(address) } });
    await register("attic-gpu", `http://worker.example:${sink.port}`, true);
    for (const [method, url] of routes(`attic-gpu::${id}`)) {
      expect(codeOf(await ask(method, url))).toBe(method === "HEAD" ? 502 : "worker_unreachable");
    }
    expect(sink.heard()).toEqual(nothing);
    expect(details()).toContain("is not called");
  });

  test("because its name points elsewhere the second time (rebinding)", async () => {
    const elsewhere = await openSink("127.0.0.2");
    closers.push(() => elsewhere.close());
    const honest = await openSink("127.0.0.3");
    await honest.close();
    edge = await open({
      environment: { WORKER_NETWORKS: "127.0.0.3/32" },
      workers: { resolve: names("127.0.0.3", "127.0.0.2"), timeoutMs: 1000 },
    });
    await register("attic-gpu", `http://worker.example:${elsewhere.port}`, true);
    // The first time it is allowed, and nobody is there; the second time it would be the sink.
    for (let time = 0; time < 3; time += 1) {
      expect(codeOf(await ask("GET", `/status/attic-gpu::${id}`))).toBe("worker_unreachable");
    }
    expect(details()).toMatch(/does not accept connections[\s\S]*127\.0\.0\.2\) is a loopback address/);
    expect(elsewhere.heard()).toEqual(nothing);
  });

  test("because the network was taken off the list", async () => {
    await register("attic-gpu", sink.url);
    await edge.context.database.write((tx) =>
      tx.prepare("UPDATE worker_accounts SET base_url = ?").run(`http://10.0.0.7:${sink.port}`),
    );
    expect(codeOf(await ask("GET", `/status/attic-gpu::${id}`))).toBe("worker_unreachable");
  });

  test("because its credentials no longer open", async () => {
    await register("attic-gpu", sink.url);
    await edge.context.database.write((tx) =>
      tx.prepare("UPDATE worker_accounts SET worker_key = replace(worker_key, '.', '_')").run(),
    );
    expect(codeOf(await ask("GET", `/status/attic-gpu::${id}`))).toBe("worker_unreachable");
    expect(sink.heard()).toEqual(nothing);
  });

  test("because a new address takes its place at once", async () => {
    const old = await openSink();
    closers.push(() => old.close());
    edge = await open({ workers: { timeoutMs: 300 } });
    await register("attic-gpu", old.url);
    expect(codeOf(await ask("GET", `/status/attic-gpu::${id}`))).toBe("worker_unreachable");
    const before = old.heard();
    expect(before.bytes).toBeGreaterThan(0);
    await updateAccount(edge.context, edge.installation.accounts, "attic-gpu", { base_url: sink.url });
    expect(codeOf(await ask("GET", `/status/attic-gpu::${id}`))).toBe("worker_unreachable");
    expect(old.heard()).toEqual(before);
    expect(sink.heard().connections).toBe(1);
  });
});
