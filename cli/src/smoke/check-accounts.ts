// The whole life of a worker account, with one that answers to nobody: registered, changed, checked, drained, switched off and on,
// given another key, deleted. And that all of it stands in the audit log.
import { randomBytes } from "node:crypto";
import type {
  Account,
  AccountAdded,
  AccountDeleted,
  AccountHealth,
  AccountState,
  Accounts,
  AuditEvent,
  AuditPage,
  RouteName,
} from "@safelight/contract";
import type { Operator } from "./operator.ts";
import type { Part } from "./part.ts";
import { type Answer, must, mustRefuse, shapeOf, textOf } from "./probe.ts";

export const accountParts: readonly Part[] = [
  {
    name: "accounts",
    routes: [
      ...(["listAccounts", "addAccount", "getAccount", "updateAccount", "deleteAccount", "getAccountHealth"] as const),
      ...(["checkAccount", "enableAccount", "disableAccount", "drainAccount", "rotateAccount"] as const),
    ],
    check: async ({ operator }) => checkAccounts(await operator()),
  },
  {
    name: "audit",
    routes: ["listAuditEvents", "addAccount", "deleteAccount"],
    check: async ({ operator }) => checkAudit(await operator()),
  },
];

/** Nothing listens on the discard port, least of all a worker: a check there is bad at once. */
const nobodyThere = "http://127.0.0.1:9";
/** How soon an action must be seen in the audit log, in milliseconds. */
const auditDelay = 5000;

/** A throw-away account, and what it is asked. It is deleted whatever becomes of the check. */
class Walk {
  readonly workspace = `smoke-${randomBytes(6).toString("hex")}`;
  readonly keys = [randomBytes(18).toString("hex"), randomBytes(18).toString("hex")] as const;
  readonly #operator: Operator;
  readonly #answers: Answer[] = [];

  constructor(operator: Operator) {
    this.#operator = operator;
  }

  async ask<T>(name: RouteName, body?: Readonly<Record<string, unknown>>, status = 200): Promise<T> {
    return shapeOf<T>(name, await this.send(name, body), status);
  }

  async send(name: RouteName, body?: Readonly<Record<string, unknown>>): Promise<Answer> {
    const path = { workspace: this.workspace };
    const answer = await this.#operator.ask(name, { path, ...(body === undefined ? {} : { body }) });
    this.#answers.push(answer);
    return answer;
  }

  async add(): Promise<AccountAdded> {
    const body = { label: "Smoke check", workspace: this.workspace, kind: "http", base_url: nobodyThere };
    return this.ask<AccountAdded>("addAccount", { ...body, worker_key: this.keys[0] }, 201);
  }

  async listed(): Promise<Account | undefined> {
    const { accounts } = await this.ask<Accounts>("listAccounts");
    return accounts.find(({ workspace }) => workspace === this.workspace);
  }

  /** Complains when a key that was given has come back in any answer. */
  mustHaveKeptKeys(): void {
    for (const answer of this.#answers) {
      const told = textOf(answer);
      must(!this.keys.some((key) => told.includes(key)), `${answer.request} tells a worker key`);
    }
  }
}

async function walk(operator: Operator, work: (walk: Walk) => Promise<void>): Promise<Walk> {
  const account = new Walk(operator);
  try {
    await work(account);
  } catch (error) {
    await account.send("deleteAccount").catch(() => undefined);
    throw error;
  }
  return account;
}

async function checkAccounts(operator: Operator): Promise<string> {
  const account = await walk(operator, async (account) => {
    const added = await account.add();
    must(added.workspace === account.workspace, `POST /admin/accounts registered ${added.workspace}`);
    mustRefuse(await account.send("addAccount", { workspace: account.workspace }), 422, "validation_failed");
    const listed = await account.listed();
    must(listed !== undefined, "GET /admin/accounts does not list an account that was just registered");
    const read = await account.ask<Account>("getAccount");
    must(
      read.id === added.id && read.base_url === nobodyThere,
      "GET /admin/accounts/{workspace} reads another account",
    );
    const changed = await account.ask<Account>("updateAccount", { label: "Changed", slots: { image: 3 } });
    must(changed.label === "Changed" && changed.slots.image === 3, "PATCH /admin/accounts/{workspace} changes nothing");
    await checkHealth(account);
    await checkSwitches(account);
    await account.ask<AccountState>("rotateAccount", { worker_key: account.keys[1] });
    const { id } = await account.ask<AccountDeleted>("deleteAccount");
    must(id === added.id, "DELETE /admin/accounts/{workspace} answers another id");
  });
  must((await account.listed()) === undefined, "GET /admin/accounts lists an account that was deleted");
  for (const name of ["getAccount", "getAccountHealth", "checkAccount", "enableAccount", "deleteAccount"] as const) {
    mustRefuse(await account.send(name), 404, "not_found");
  }
  account.mustHaveKeptKeys();
  return "registered, checked, switched, deleted; no key told";
}

async function checkHealth(account: Walk): Promise<void> {
  const found = await account.ask<AccountHealth>("checkAccount");
  must(found.last_health_status === "failed", `a check where no worker is found it ${found.last_health_status}`);
  must(found.status !== "ready", "an account without a worker is ready");
  must(found.last_error_code !== null && found.last_error !== null, "a bad check does not say why it was bad");
  must(found.worker === null && found.models.length === 0, "a worker that is not there offers something");
  const known = await account.ask<AccountHealth>("getAccountHealth");
  must(
    known.history.some(({ outcome }) => outcome === "failed"),
    "GET /admin/accounts/{workspace}/health does not remember a check",
  );
}

async function checkSwitches(account: Walk): Promise<void> {
  const drained = await account.ask<AccountState>("drainAccount", { draining: true });
  must(drained.draining, "an account that was told to drain does not");
  const disabled = await account.ask<AccountState>("disableAccount");
  must(disabled.status === "disabled", `an account that was disabled is ${disabled.status}`);
  const checked = await account.ask<AccountHealth>("checkAccount");
  must(checked.status === "disabled", `a check made a disabled account ${checked.status}`);
  const enabled = await account.ask<AccountState>("enableAccount");
  must(enabled.status === "pending", `an account that was enabled is ${enabled.status}`);
  must(!enabled.draining, "an account that was enabled still drains");
}

/** What was done, and what was refused, stands in the log within five seconds, without a secret. */
async function checkAudit(operator: Operator): Promise<string> {
  const account = await walk(operator, async (account) => {
    await account.add();
    await account.ask("updateAccount", { label: "Changed" });
    await account.ask("checkAccount");
    await account.ask("drainAccount", { draining: true });
    await account.ask("enableAccount");
    await account.ask("disableAccount");
    await account.ask("rotateAccount", { worker_key: account.keys[1] });
    await account.ask("deleteAccount");
  });
  mustRefuse(await account.send("enableAccount"), 404, "not_found");
  const done = ["add_account", "update_account", "drain_account", "enable_account", "disable_account"];
  const wanted = [
    ...[...done, "rotate_secret", "delete_account"].map((action) => `${action} success`),
    // The check was bad and the account was gone.
    "check_account failure",
    "enable_account failure",
  ];
  const began = performance.now();
  const logs = await readUntil(operator, account.workspace, wanted);
  const seconds = (performance.now() - began) / 1000;
  for (const { action, actor, correlation_id: correlation, timestamp } of logs) {
    must(actor.type === "admin" && actor.id !== "", `the audit row of ${action} names no operator`);
    must(correlation !== "" && !Number.isNaN(Date.parse(timestamp)), `the audit row of ${action} is not complete`);
  }
  const told = JSON.stringify(logs);
  must(!account.keys.some((key) => told.includes(key)), "the audit log tells a worker key");
  const { logs: filtered } = await readLogs(operator, "?limit=1&action=delete_account&outcome=success");
  must(filtered[0]?.target === account.workspace, "GET /admin/logs is not newest first, or its filters do nothing");
  mustRefuse(await operator.ask("listAuditEvents", { search: "?limit=100000" }), 422, "validation_failed");
  return `${wanted.length} actions seen after ${seconds.toFixed(1)} s`;
}

async function readLogs(operator: Operator, search: string): Promise<AuditPage> {
  return shapeOf<AuditPage>("listAuditEvents", await operator.ask("listAuditEvents", { search }), 200);
}

async function readUntil(operator: Operator, workspace: string, wanted: readonly string[]): Promise<AuditEvent[]> {
  for (const end = performance.now() + auditDelay; ; ) {
    const { logs } = await readLogs(operator, "?limit=100&actor=admin");
    const ours = logs.filter(({ target }) => target === workspace);
    const seen = ours.map(({ action, outcome }) => `${action} ${outcome}`);
    const missing = wanted.filter((row) => !seen.includes(row));
    if (missing.length === 0) return ours;
    must(performance.now() < end, `GET /admin/logs does not show ${missing.join(", ")} after ${auditDelay / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
