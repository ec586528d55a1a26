import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createKeyring } from "../keys/keyring.ts";
import { type Core, openCore, submit } from "../testing/core.ts";
import { type HealthWorker, healthOf, startHealthWorker } from "../testing/health-worker.ts";
import { onPostgres } from "../testing/test-database.ts";
import { openCredential } from "./account-credentials.ts";
import type { NewAccount } from "./account-input.ts";
import { readAccount, readAccounts } from "./account-record.ts";
import { addAccount } from "./add-account.ts";
import { disableAccount, drainAccount, enableAccount, rotateCredentials, updateAccount } from "./change-account.ts";
import { checkAccount } from "./check-account.ts";
import { deleteAccount, purgeDeletedAccounts } from "./delete-account.ts";
import { startHealthChecks } from "./health-checks.ts";
import { openRegistry } from "./open-registry.ts";
import type { AccountRegistry } from "./registry.ts";

let core: Core;
let worker: HealthWorker;
let accounts: AccountRegistry;
const encryptionKey = randomBytes(32);

async function registryOf(on: Core, key: Uint8Array = encryptionKey): Promise<AccountRegistry> {
  return openRegistry(on.context, createKeyring([key]));
}

beforeEach(async () => {
  core = await openCore();
  worker = await startHealthWorker();
  accounts = await registryOf(core);
});
afterEach(async () => {
  await worker.close();
  await core.close();
});

const http = (workspace = "attic-gpu"): NewAccount => ({
  label: "Attic",
  workspace,
  kind: "http",
  base_url: worker.url,
  worker_key: worker.key,
});
const modal: NewAccount = {
  label: "Cloud",
  workspace: "cloud-gpu",
  kind: "modal",
  token_id: "ak-the-token-id-0123",
  token_secret: "as-the-token-secret-0123",
};
const add = (input: NewAccount = http()) => addAccount(core.context, accounts, input);
const check = (workspace = "attic-gpu") => checkAccount(core.context, accounts, workspace, "by_hand");
const read = (workspace = "attic-gpu") => readAccount(core.context.database.prepareRead, workspace);
const audit = async () =>
  (
    await core.context.database
      .prepareRead("SELECT action, target, outcome, details FROM audit_events ORDER BY id")
      .all()
  ).map(({ action, target, outcome }) => `${String(action)} ${String(target)} ${String(outcome)}`);
const refusalOf = async (work: Promise<unknown>) => {
  const error = (await work.catch((thrown: unknown) => thrown)) as {
    code?: string;
    fields?: { field: string; code: string }[];
  };
  return [error.code, ...(error.fields ?? []).map(({ field, code }) => `${field} ${code}`)];
};

describe("adding", () => {
  test("FR-014: an account begins as pending, unchecked, with a check due at once", async () => {
    const account = await add();
    expect(account).toMatchObject({
      workspace: "attic-gpu",
      status: "pending",
      kind: "http",
      baseUrl: worker.url,
      slots: { image: 1, video: 1 },
      draining: false,
      lastHealthAt: null,
      useCount: 0,
      nextCheckAt: core.clock.now(),
    });
    expect(worker.asked).toEqual([]);
    expect(await audit()).toEqual(["add_account attic-gpu success"]);
  });

  test("a Modal account gets a worker key of its own, and no address before its first deploy", async () => {
    const account = await add(modal);
    expect(account.baseUrl).toBeNull();
    expect(openCredential(accounts.keyring, account, "workerKey")).toMatch(/^[\w-]{43}$/);
    expect(openCredential(accounts.keyring, account, "tokenId")).toBe(modal.token_id);
    expect(openCredential(accounts.keyring, account, "tokenSecret")).toBe(modal.token_secret);
    expect(await check("cloud-gpu")).toMatchObject({ status: "pending", lastErrorCode: "not_deployed" });
  });

  test("a workspace is registered once", async () => {
    await add();
    expect(await refusalOf(add({ ...http(), label: "Other" }))).toEqual([
      "validation_failed",
      "workspace already_registered",
    ]);
    expect(await readAccounts(core.context.database.prepareRead)).toHaveLength(1);
  });

  test.each([
    [
      "nothing of its kind",
      { label: "x", workspace: "abc", kind: "http" },
      ["base_url required", "worker_key required"],
    ],
    ["tokens missing", { label: "x", workspace: "abc", kind: "modal" }, ["token_id required", "token_secret required"]],
    [
      "fields of the other kind",
      { ...modal, base_url: "https://worker.example", worker_key: "k".repeat(20) },
      ["base_url not_for_kind", "worker_key not_for_kind"],
    ],
    [
      "plain http",
      {
        ...modal,
        kind: "http",
        token_id: undefined,
        token_secret: undefined,
        worker_key: "k".repeat(20),
        base_url: "http://worker.example",
      },
      ["base_url plain_http"],
    ],
    [
      "a private address",
      { label: "x", workspace: "abc", kind: "http", worker_key: "k".repeat(20), base_url: "https://10.0.0.1" },
      ["base_url address_refused"],
    ],
    [
      "the metadata service",
      {
        label: "x",
        workspace: "abc",
        kind: "http",
        worker_key: "k".repeat(20),
        base_url: "http://169.254.169.254",
        allow_plain_http: true,
      },
      ["base_url address_refused"],
    ],
    [
      "a password in the address",
      {
        label: "x",
        workspace: "abc",
        kind: "http",
        worker_key: "k".repeat(20),
        base_url: "https://u:p@worker.example",
      },
      ["base_url bad_url"],
    ],
    [
      "more containers at least than at most",
      { ...modal, min_containers: 3, max_containers: 2 },
      ["max_containers below_minimum"],
    ],
  ] as const)("%s is refused field by field", async (_what, input, fields) => {
    expect(await refusalOf((async () => add(input as unknown as NewAccount))())).toEqual([
      "validation_failed",
      ...fields,
    ]);
    expect(await audit()).toEqual([]);
  });
});

describe("SC-008: credentials", () => {
  test("stand nowhere in the clear: not in the files of the database, the log or the audit rows", async () => {
    await add();
    await add(modal);
    await check();
    await rotateCredentials(core.context, accounts, "cloud-gpu", {
      token_id: "ak-second",
      token_secret: "as-second-secret",
    });
    worker.accepts = "another key";
    await check();
    await deleteAccount(core.context, accounts, "cloud-gpu", false);
    const secrets = [worker.key, "ak-the-token-id-0123", "as-the-token-secret-0123", "ak-second", "as-second-secret"];
    const files = readdirSync(core.folder).filter((name) => name.includes("sqlite"));
    if (!onPostgres) expect(files.length).toBeGreaterThan(1);
    for (const secret of secrets) {
      for (const name of files) expect(readFileSync(join(core.folder, name)).includes(secret), name).toBe(false);
      expect(core.logged.join("")).not.toContain(secret);
      expect(JSON.stringify(await core.context.database.prepareRead("SELECT * FROM audit_events").all())).not.toContain(
        secret,
      );
    }
  });

  test("that no key opens make a bad check, and nothing is sent", async () => {
    await add();
    accounts = await registryOf(core, randomBytes(32));
    expect(await check()).toMatchObject({ status: "pending", lastErrorCode: "credentials_unreadable" });
    expect(worker.asked).toEqual([]);
  });

  test("travel in the header to the account's own worker and never in an address", async () => {
    await add();
    await check();
    expect(worker.asked).toHaveLength(1);
    expect(worker.asked[0]?.path).toBe("/health");
    expect(worker.asked[0]?.headers.authorization).toBe(`Bearer ${worker.key}`);
  });
});

describe("checks", () => {
  test("SC-004, FR-014: a good one makes ready at once, everywhere, and it stays so", async () => {
    await add();
    expect(await check()).toMatchObject({
      status: "ready",
      lastHealthStatus: "ok",
      lastError: null,
      models: [{ model: "pony", modes: ["txt2img"], offered: true }],
    });
    expect(accounts.standings.of("pony")).toBe("ready");
    expect((await audit()).at(-1)).toBe("check_account attic-gpu success");
    const before = await read();
    for (let reads = 0; reads < 5; reads += 1) await readAccounts(core.context.database.prepareRead);
    expect(await read()).toEqual(before);
    const { folder } = core;
    core.die();
    core = await core.reopen();
    expect(core.folder).toBe(folder);
    expect(await read()).toEqual(before);
    accounts = await registryOf(core);
    expect(accounts.standings.of("pony")).toBe("ready");
  });

  test.each([
    ["a wrong key", () => (worker.accepts = "another"), "invalid_worker_key"],
    ["nobody there", () => worker.close(), "unreachable"],
    [
      "a redirect",
      () => (worker.answer = (r) => void r.writeHead(302, { location: "http://127.0.0.1:9/" }).end()),
      "redirect",
    ],
    [
      "a page",
      () => (worker.answer = (r) => void r.writeHead(200, { "content-type": "text/html" }).end("<p>hi")),
      "unreadable",
    ],
    [
      "another form",
      () => (worker.answer = (r) => void r.writeHead(200, { "content-type": "application/json" }).end("{}")),
      "unreadable",
    ],
    [
      "too much",
      () =>
        (worker.answer = (r) => void r.writeHead(200, { "content-type": "application/json" }).end("x".repeat(2 ** 21))),
      "too_large",
    ],
    ["an error page", () => (worker.answer = (r) => void r.writeHead(500).end("oops")), "unreadable"],
    [
      "its key said back",
      () => (worker.health = { ...worker.health, worker: { name: worker.key, version: "1" } }),
      "unreadable",
    ],
    ["not ready", () => (worker.health = { ...worker.health, ready: false }), "not_ready"],
    ["no models", () => (worker.health = healthOf([])), "no_models"],
    ["models nobody knows", () => (worker.health = healthOf(["dream-machine", "constructor"])), "no_models"],
    [
      "weights that are missing",
      () =>
        (worker.health = {
          ...worker.health,
          models: healthOf(["pony"]).models.map((m) => ({ ...m, weights: "fetching" as const })),
        }),
      "no_models",
    ],
  ])("%s leaves pending with its reason, and makes ready failed", async (_what, spoil, code) => {
    await add();
    await add(http("second-gpu"));
    await check("second-gpu");
    await spoil();
    expect(await check()).toMatchObject({ status: "pending", lastHealthStatus: "failed", lastErrorCode: code });
    expect(await check("second-gpu")).toMatchObject({ status: "failed", lastErrorCode: code });
    expect((await read())?.lastError).toMatch(/^[A-Z0-9].*\.$/);
    expect(JSON.stringify(await readAccounts(core.context.database.prepareRead))).not.toContain(worker.key);
    expect((await audit()).at(-1)).toBe("check_account second-gpu failure");
  });

  test("a good one mends a failed account", async () => {
    await add();
    await check();
    worker.accepts = "another";
    expect(await check()).toMatchObject({ status: "failed", badChecks: 1 });
    worker.accepts = worker.key;
    expect(await check()).toMatchObject({ status: "ready", badChecks: 0, lastError: null, lastErrorCode: null });
  });

  test("none changes a disabled account", async () => {
    await add();
    await check();
    await disableAccount(core.context, accounts, "attic-gpu", false);
    expect(await check()).toMatchObject({ status: "disabled", lastHealthStatus: "ok", nextCheckAt: null });
  });

  test("one that was under way while the key changed is made again with the new one", async () => {
    await add();
    const real = accounts.probe;
    let asked = 0;
    accounts = {
      ...accounts,
      probe: async (account) => {
        asked += 1;
        const outcome = await real(account);
        if (asked === 1) {
          worker.accepts = "the-second-key-of-the-worker";
          await rotateCredentials(core.context, accounts, "attic-gpu", { worker_key: "the-second-key-of-the-worker" });
        }
        return outcome;
      },
    };
    expect(await check()).toMatchObject({ status: "ready", revision: 2 });
    expect(asked).toBe(2);
  });

  test("one that was under way while the account was deleted changes nothing", async () => {
    await add();
    const real = accounts.probe;
    accounts = {
      ...accounts,
      probe: async (account) => {
        await deleteAccount(core.context, accounts, "attic-gpu", false);
        return real(account);
      },
    };
    expect(await refusalOf(check())).toEqual(["not_found"]);
    expect(await audit()).toEqual(["add_account attic-gpu success", "delete_account attic-gpu success"]);
  });
});

describe("changes", () => {
  test("a new address keeps the status and has a check made at once", async () => {
    await add();
    await check();
    core.clock.advance(1000);
    const moved = await updateAccount(core.context, accounts, "attic-gpu", { base_url: "https://worker.example/a/" });
    expect(moved).toMatchObject({
      status: "ready",
      baseUrl: "https://worker.example/a",
      nextCheckAt: core.clock.now(),
      revision: 2,
    });
    const renamed = await updateAccount(core.context, accounts, "attic-gpu", { label: " New ", slots: { video: 3 } });
    expect(renamed).toMatchObject({ label: "New", slots: { image: 1, video: 3 }, revision: 2 });
  });

  test("a plain http address does not outlive the permission for it", async () => {
    await add({ ...http(), base_url: "http://worker.example", allow_plain_http: true });
    const change = updateAccount(core.context, accounts, "attic-gpu", { allow_plain_http: false });
    expect(await refusalOf(change)).toEqual(["validation_failed", "base_url plain_http"]);
    expect((await read())?.allowPlainHttp).toBe(true);
  });

  test("rotating asks for what the kind has", async () => {
    await add();
    await add(modal);
    const rotate = (workspace: string, input: object) =>
      refusalOf(rotateCredentials(core.context, accounts, workspace, input));
    expect(await rotate("attic-gpu", {})).toEqual(["validation_failed", "worker_key required"]);
    expect(await rotate("attic-gpu", { worker_key: "k".repeat(20), token_id: "x" })).toEqual([
      "validation_failed",
      "token_id not_for_kind",
    ]);
    expect(await rotate("cloud-gpu", { token_id: "x" })).toEqual(["validation_failed", "token_secret required"]);
    expect(await rotate("cloud-gpu", { token_id: "x", token_secret: "y", worker_key: "k".repeat(20) })).toEqual([
      "validation_failed",
      "worker_key not_for_kind",
    ]);
  });

  test("enabling makes nothing ready unchecked, works for a failed account, and ends draining", async () => {
    await add();
    await check();
    worker.accepts = "another";
    await check();
    await drainAccount(core.context, accounts, "attic-gpu", true);
    core.clock.advance(1000);
    expect(await enableAccount(core.context, accounts, "attic-gpu")).toMatchObject({
      status: "failed",
      draining: false,
      nextCheckAt: core.clock.now(),
    });
    await disableAccount(core.context, accounts, "attic-gpu", false);
    expect(await enableAccount(core.context, accounts, "attic-gpu")).toMatchObject({ status: "pending" });
  });

  test.each([
    ["update", () => updateAccount(core.context, accounts, "nobody", { label: "x" })],
    ["rotate", () => rotateCredentials(core.context, accounts, "nobody", { worker_key: "k".repeat(20) })],
    ["enable", () => enableAccount(core.context, accounts, "nobody")],
    ["disable", () => disableAccount(core.context, accounts, "nobody", true)],
    ["drain", () => drainAccount(core.context, accounts, "nobody", true)],
    ["delete", () => deleteAccount(core.context, accounts, "nobody", true)],
    ["check", () => check("nobody")],
  ])("an unknown account cannot be asked to %s", async (_verb, work) => {
    expect(await refusalOf(work())).toEqual(["not_found"]);
    expect(await audit()).toEqual([]);
  });
});

describe("deleting", () => {
  test("removes row, models, checks and credentials at once where nothing runs", async () => {
    await add();
    await check();
    const { id } = await deleteAccount(core.context, accounts, "attic-gpu", false);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await read()).toBeUndefined();
    for (const table of ["worker_accounts", "worker_account_models", "worker_account_checks"]) {
      expect(await core.context.database.prepareRead(`SELECT * FROM ${table}`).all(), table).toEqual([]);
    }
    expect(accounts.standings.of("pony")).toBe("none");
  });

  test("hides at once but keeps the credentials until the last run has ended", async () => {
    await add();
    await check();
    const task = { id: await submit(core) };
    await core.context.database.write((tx) =>
      tx.prepare("UPDATE tasks SET status = 'processing', executor = 'attic-gpu' WHERE id = ?").run(task.id),
    );
    const checks = startHealthChecks(core.context, accounts);
    await deleteAccount(core.context, accounts, "attic-gpu", false);
    expect(await read()).toBeUndefined();
    expect(await purgeDeletedAccounts(core.context)).toBe(0);
    expect(await refusalOf(add())).toEqual(["validation_failed", "workspace already_registered"]);
    expect(accounts.standings.of("pony")).toBe("none");
    await core.context.database.write(async (tx) => {
      await tx.prepare("UPDATE tasks SET executor = 'elsewhere' WHERE id = ?").run(task.id);
      tx.afterCommit(() =>
        core.context.hub.publish({ id: null, taskId: task.id, type: "task.updated", data: "{}", signal: "ended" }),
      );
    });
    await checks.stop();
    expect(await core.context.database.prepareRead("SELECT * FROM worker_accounts").all()).toEqual([]);
    await add();
  });
});

describe("planned checks", () => {
  test("come every half minute while all is well, and back off while it is not", async () => {
    await add();
    const checks = startHealthChecks(core.context, accounts);
    await checks.runDue();
    await checks.runDue();
    expect(worker.asked).toHaveLength(1);
    const ahead = async () => ((await read())?.nextCheckAt ?? 0) - core.clock.now();
    expect(await ahead()).toBeGreaterThanOrEqual(24_000);
    expect(await ahead()).toBeLessThanOrEqual(36_000);
    worker.accepts = "another";
    const pauses: number[] = [];
    for (let bad = 0; bad < 9; bad += 1) {
      core.clock.advance(await ahead());
      await checks.runDue();
      pauses.push(await ahead());
    }
    expect(worker.asked).toHaveLength(10);
    expect(pauses[0]).toBeLessThanOrEqual(6_000);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(240_000);
    expect(pauses.at(-1)).toBeLessThanOrEqual(360_000);
    await checks.stop();
  });

  test("leave an audit row only where something is different", async () => {
    await add();
    const planned = () => checkAccount(core.context, accounts, "attic-gpu", "planned");
    for (let nth = 0; nth < 3; nth += 1) await planned();
    worker.accepts = "another";
    for (let nth = 0; nth < 3; nth += 1) await planned();
    expect(await audit()).toEqual([
      "add_account attic-gpu success",
      "check_account attic-gpu success",
      "check_account attic-gpu failure",
    ]);
    const kept = await core.context.database.prepareRead("SELECT outcome FROM worker_account_checks ORDER BY id").all();
    expect(kept.map(({ outcome }) => outcome)).toEqual(["ok", "ok", "ok", "failed", "failed", "failed"]);
  });

  test("are not made of disabled accounts, and go on after a restart and a clock set back", async () => {
    await add();
    await add(http("second-gpu"));
    await disableAccount(core.context, accounts, "second-gpu", false);
    const first = startHealthChecks(core.context, accounts);
    await first.runDue();
    await first.stop();
    expect(worker.asked).toHaveLength(1);
    core.clock.setWall(core.clock.now() - 3_600_000);
    const second = startHealthChecks(core.context, accounts);
    await second.runDue();
    await second.stop();
    expect(worker.asked).toHaveLength(2);
  });

  test("a worker that does not answer keeps no stop, and the check that was dropped says nothing of the account", async () => {
    await add();
    let asked = false;
    const hanging: AccountRegistry["probe"] = () => {
      asked = true;
      return new Promise(() => undefined);
    };
    const checks = startHealthChecks(core.context, { ...accounts, probe: hanging });
    await expect.poll(() => asked).toBe(true);
    await checks.stop();
    expect(await read()).toMatchObject({ status: "pending", lastHealthAt: null, lastError: null });
  });

  test("happen by themselves, at once when an account is added", async () => {
    const checks = startHealthChecks(core.context, accounts);
    accounts = { ...accounts, changed: () => checks.wake() };
    await add();
    await expect.poll(async () => (await read())?.status).toBe("ready");
    await checks.stop();
  });
});

describe("the memory of what was offered", () => {
  test("outlives a bad check, a disabled account and a model that is offered no more", async () => {
    await add();
    expect(accounts.standings.of("pony")).toBe("none");
    await check();
    worker.health = healthOf(["flux"]);
    await check();
    expect([accounts.standings.of("pony"), accounts.standings.of("flux")]).toEqual(["registered", "ready"]);
    await drainAccount(core.context, accounts, "attic-gpu", true);
    expect(accounts.standings.of("flux")).toBe("registered");
    await disableAccount(core.context, accounts, "attic-gpu", false);
    expect(accounts.standings.of("flux")).toBe("registered");
    expect(accounts.standings.of("anisora")).toBe("none");
  });
});

test("FR-012, FR-023: every operation of the database failing in turn leaves either the whole change with its row, or nothing", async () => {
  const verbs: [string, () => Promise<unknown>][] = [
    ["add_account", () => add(http("second-gpu"))],
    ["update_account", () => updateAccount(core.context, accounts, "attic-gpu", { label: "New" })],
    ["rotate_secret", () => rotateCredentials(core.context, accounts, "attic-gpu", { worker_key: "k".repeat(20) })],
    ["check_account", () => check()],
    ["drain_account", () => drainAccount(core.context, accounts, "attic-gpu", true)],
    ["disable_account", () => disableAccount(core.context, accounts, "attic-gpu", false)],
    ["enable_account", () => enableAccount(core.context, accounts, "attic-gpu")],
    ["delete_account", () => deleteAccount(core.context, accounts, "attic-gpu", false)],
  ];
  await add();
  const state = async () =>
    JSON.stringify(await core.context.database.prepareRead("SELECT * FROM worker_accounts").all());
  for (const [action, verb] of verbs) {
    for (let nth = 1; ; nth += 1) {
      const [rowsBefore, stateBefore] = [(await audit()).length, await state()];
      core.faults.failNth(nth, "begin", "statement", "commit");
      const failed = await verb().then(
        () => false,
        () => true,
      );
      const happened = core.faults.happened;
      core.faults.failNth(Number.POSITIVE_INFINITY);
      expect(failed, action).toBe(happened);
      if (!failed) break;
      expect([(await audit()).length, await state()], `${action} ${nth}`).toEqual([rowsBefore, stateBefore]);
      expect(nth).toBeLessThan(30);
    }
    expect((await audit()).at(-1)).toMatch(new RegExp(`^${action} `));
  }
});
