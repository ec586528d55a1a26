// A deploy with a throw-away account and a token that nobody has, cancelled at once: that it is queued, told, ended and remembered.
// Nothing is deployed by a check, so that deploying to every account is only seen to be there and to be guarded.
import { randomBytes } from "node:crypto";
import {
  type AccountAdded,
  type AuditPage,
  Deployment,
  type DeploymentDetail,
  type DeploymentQueued,
  type DeploymentsPage,
  deploymentEventSchemas,
  type RouteName,
} from "@safelight/contract";
import { createParser } from "eventsource-parser";
import type { Operator } from "./operator.ts";
import type { Part } from "./part.ts";
import { must, mustAnswer, mustFit, mustHaveType, mustRefuse, type Probe, shapeOf, textOf } from "./probe.ts";

export const deploymentParts: readonly Part[] = [
  {
    name: "deployments",
    routes: [
      ...(["deployAccount", "rollbackAccount", "deployAll", "listDeployments"] as const),
      ...(["getDeployment", "cancelDeployment", "deploymentEvents"] as const),
    ],
    check: async ({ probe, operator }) => checkDeployments(probe, await operator()),
  },
];

/** How long a command may take to end once it is cancelled, in milliseconds. */
const ending = 20_000;

async function checkDeployments(probe: Probe, operator: Operator): Promise<string> {
  mustRefuse(await probe.ask("deployAll", { as: "none" }), 401, "session_required");
  const workspace = `smoke-${randomBytes(6).toString("hex")}`;
  const token = {
    token_id: `ak-${randomBytes(11).toString("hex")}`,
    token_secret: `as-${randomBytes(11).toString("hex")}`,
  };
  const body = { label: "Smoke check", workspace, kind: "modal", ...token };
  const { id: account } = shapeOf<AccountAdded>("addAccount", await operator.ask("addAccount", { body }), 201);
  try {
    const ask = (name: RouteName) => operator.ask(name, { path: { workspace } });
    mustRefuse(await ask("rollbackAccount"), 422, "validation_failed");
    const queued = shapeOf<DeploymentQueued>("deployAccount", await ask("deployAccount"), 202);
    must(queued.id === account, "POST /admin/accounts/{workspace}/deploy answers the id of another account");
    const last = await checkEnd(operator, queued.deployment_id);
    must(last.workspace === workspace && last.version === 1, "the deployment is not the first of its account");
    await checkRecord(operator, last, Object.values(token));
    return `queued, cancelled (${last.error?.code}), told in ${last.log_lines} lines`;
  } finally {
    await operator.ask("deleteAccount", { path: { workspace } }).catch(() => undefined);
  }
}

/** Cancels it; its stream tells the end and ends with it. */
async function checkEnd(operator: Operator, id: string): Promise<Deployment> {
  const path = { id };
  shapeOf<Deployment>("cancelDeployment", await operator.ask("cancelDeployment", { path }), 200);
  const stream = await operator.ask("deploymentEvents", { path, within: ending });
  mustAnswer(stream, 200);
  mustHaveType(stream, "text/event-stream");
  const told: { type: string; data: unknown }[] = [];
  createParser({ onEvent: ({ event = "", data }) => told.push({ type: event, data: JSON.parse(data) }) }).feed(
    textOf(stream),
  );
  for (const { type, data } of told) {
    must(type in deploymentEventSchemas, `${stream.request} sends ${type}, which is no event of the contract`);
    mustFit(`the event ${type}`, deploymentEventSchemas[type as keyof typeof deploymentEventSchemas], data);
  }
  const last = told.at(-1);
  must(last?.type === "deployment.updated", "the stream of a deployment does not end with the deployment");
  const deployment = last.data as Deployment;
  must(deployment.status === "failed", `a deployment that was cancelled ended ${deployment.status}`);
  return deployment;
}

/** Reading, listing and the log of actions agree with what was told, and no token stands in any of them. */
async function checkRecord(operator: Operator, last: Deployment, secrets: readonly string[]): Promise<void> {
  const read = await operator.ask("getDeployment", { path: { id: last.id } });
  const { log, ...deployment } = shapeOf<DeploymentDetail>("getDeployment", read, 200);
  must(deployment.status === last.status && deployment.finished_at !== null, "a deployment is read as it was not told");
  must(log.length === deployment.log_lines, "a deployment has more or fewer lines than it says");
  mustFit(read.request, Deployment, deployment);
  const list = await operator.ask("listDeployments", { search: `?limit=1&workspace=${last.workspace}` });
  const { deployments } = shapeOf<DeploymentsPage>("listDeployments", list, 200);
  must(deployments[0]?.id === last.id, "GET /admin/deployments does not list a deployment of this account");
  mustRefuse(await operator.ask("listDeployments", { search: "?limit=0" }), 422, "validation_failed");
  mustRefuse(await operator.ask("getDeployment", { path: { id: "unknown" } }), 404, "not_found");
  const audit = await operator.ask("listAuditEvents", { search: "?limit=50" });
  const { logs } = shapeOf<AuditPage>("listAuditEvents", audit, 200);
  const ours = logs.filter(({ target }) => target === last.workspace).map(({ action }) => action);
  must(
    ours.includes("deploy_account") && ours.includes("cancel_deployment"),
    "the audit log does not tell of a deploy that was asked for and cancelled",
  );
  const told = textOf(read) + textOf(list) + textOf(audit);
  must(!secrets.some((secret) => told.includes(secret)), "the record of a deployment tells a token");
}
