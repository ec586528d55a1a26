// Tasks inside workspaces: what must never be asked for outside, and what is said when nobody answers there. A throw-away account
// stands for a workspace; no worker is needed.
import { randomBytes } from "node:crypto";
import type { AuditPage, RouteName } from "@safelight/contract";
import type { Operator } from "./operator.ts";
import type { Part } from "./part.ts";
import { type Answer, must, mustAnswer, mustRefuse, type Probe, shapeOf } from "./probe.ts";

export const proxyParts: readonly Part[] = [
  {
    name: "proxy",
    routes: ["getStatus", "getResult", "getPreview", "cancelTask", "addAccount", "disableAccount", "deleteAccount"],
    check: async ({ probe, operator }) => checkProxy(probe, await operator()),
  },
];

const asked = ["getStatus", "getResult", "getPreview", "cancelTask"] as const satisfies readonly RouteName[];
const task = "0195a3c2-7f10-7c3e-8a52-000000000000";
/** Nothing listens on the discard port. */
const nobodyThere = "http://127.0.0.1:9";
/** How soon a refusal must be seen in the audit log, in milliseconds. */
const auditDelay = 5000;

async function checkProxy(probe: Probe, operator: Operator): Promise<string> {
  const workspace = `smoke-${randomBytes(6).toString("hex")}`;
  const ask = (name: RouteName, id: string) => probe.ask(name, { path: { id } });
  const refuseAll = async (id: string, status: number, code: string) => {
    for (const name of asked) mustRefuse(await ask(name, id), status, code);
  };
  for (const target of [workspace, "", "Not A Name", "127.0.0.1:9", "../admin", `${workspace}\r\nx: y`]) {
    await refuseAll(`${target}::${task}`, 404, "proxy_target_invalid");
  }
  mustRefuse(
    await probe.ask("getStatus", { path: { id: `${workspace}::${task}` }, as: "none" }),
    401,
    "session_required",
  );
  await mustBeWritten(operator);
  await withAccount(operator, workspace, async () => {
    for (const id of ["", "no-id", `${task}/..`, task.toUpperCase()]) {
      await refuseAll(`${workspace}::${id}`, 404, "task_not_found");
    }
    const began = performance.now();
    await refuseAll(`${workspace}::${task}`, 502, "worker_unreachable");
    must(performance.now() - began < 20_000, "a workspace where nobody answers holds its callers up");
    mustAnswer(await operator.ask("disableAccount", { path: { workspace } }), 200);
    await refuseAll(`${workspace}::${task}`, 404, "proxy_target_invalid");
  });
  await refuseAll(`${workspace}::${task}`, 404, "proxy_target_invalid");
  return "unknown, badly written and disabled workspaces are asked nothing";
}

/** Registered for as long as the work takes, and deleted whatever becomes of it. */
async function withAccount(operator: Operator, workspace: string, work: () => Promise<void>): Promise<void> {
  const key = randomBytes(18).toString("hex");
  const body = { label: "Smoke check", workspace, kind: "http", base_url: nobodyThere, worker_key: key };
  mustAnswer(await operator.ask("addAccount", { body }), 201);
  const remove = (): Promise<Answer> => operator.ask("deleteAccount", { path: { workspace } });
  try {
    await work();
  } catch (error) {
    await remove().catch(() => undefined);
    throw error;
  }
  mustAnswer(await remove(), 200);
}

/** Refusals of one source and route make one row a minute, so that a row of the last two minutes is one of these or stands for it. */
async function mustBeWritten(operator: Operator): Promise<void> {
  const search = "?limit=50&action=proxy_target_invalid&outcome=failure";
  for (const end = performance.now() + auditDelay; ; ) {
    const answer = await operator.ask("listAuditEvents", { search });
    const { logs } = shapeOf<AuditPage>("listAuditEvents", answer, 200);
    const newest = Math.max(...logs.map(({ timestamp }) => Date.parse(timestamp)));
    if (newest > Date.parse(answer.headers.get("date") ?? "") - 120_000) return;
    must(performance.now() < end, `GET /admin/logs does not show proxy_target_invalid after ${auditDelay / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
