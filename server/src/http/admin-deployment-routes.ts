import {
  type AuditAction,
  type DeploymentQueued,
  type DeploymentsQuery,
  type DeploymentsQueued,
  routes,
} from "@safelight/contract";
import { cancelDeployment } from "../deploy/cancel-deployment.ts";
import {
  type DeploymentRecord,
  describeDeployment,
  describeWithLog,
  requireDeployment,
} from "../deploy/deployment-record.ts";
import { followDeployment } from "../deploy/follow-deployment.ts";
import { listDeployments } from "../deploy/list-deployments.ts";
import { deployAccount, deployAll, rollbackAccount } from "../deploy/queue-deployment.ts";
import { recordCounted } from "./refusals.ts";
import type { Call, Registrar } from "./register.ts";
import { registerAdmin, workspaceOf } from "./register-admin.ts";
import { lastEventIdOf, sendEvents } from "./send-events.ts";

export function registerAdminDeploymentRoutes(registrar: Registrar): void {
  registerReads(registrar);
  registerChanges(registrar);
}

function registerReads(registrar: Registrar): void {
  const { installation } = registrar;
  const action = "list_deployments";
  const reading = { action, records: "read" } as const;

  registerAdmin<DeploymentsQuery>(registrar, routes.listDeployments, reading, ({ context, query }) =>
    listDeployments(context, query),
  );
  registerAdmin(registrar, routes.getDeployment, reading, ({ context, id }) =>
    context.database.read(async ({ prepare }) => describeWithLog(prepare, await requireDeployment(prepare, id))),
  );
  const following = { action, records: "failures", head: "none" } as const;
  registerAdmin(registrar, routes.deploymentEvents, following, async (call) => {
    const { context, id } = call;
    // Asked before the stream opens: an unknown one is a 404, not an empty stream. The row is written now, not when the stream ends.
    await requireDeployment(context.database.prepareRead, id);
    await recordCounted(context, { action, route: routes.deploymentEvents.path, outcome: "success", target: id });
    const seen = lastEventIdOf(call) ?? 0;
    return sendEvents(installation, call, (signal) =>
      followDeployment(context, installation.deployer, id, seen, signal),
    );
  });
}

function registerChanges(registrar: Registrar): void {
  const { deployer } = registrar.installation;
  const changing = (action: AuditAction) => ({ action, records: "change" }) as const;

  registerAdmin(registrar, routes.deployAccount, changing("deploy_account"), async (call) =>
    accepted(call, await deployAccount(call.context, deployer, workspaceOf(call)), "The deploy is queued."),
  );
  registerAdmin(registrar, routes.rollbackAccount, changing("rollback_account"), async (call) =>
    accepted(call, await rollbackAccount(call.context, deployer, workspaceOf(call)), "The rollback is queued."),
  );
  registerAdmin(registrar, routes.deployAll, changing("deploy_all"), async (call): Promise<DeploymentsQueued> => {
    const { length } = await deployAll(call.context, deployer);
    call.reply.code(202);
    const queued = length === 1 ? "1 deploy is queued." : `${length} deploys are queued.`;
    return { deploying: length, message: length === 0 ? "There is no Modal workspace to deploy to." : queued };
  });
  registerAdmin(registrar, routes.cancelDeployment, changing("cancel_deployment"), async ({ context, id }) =>
    describeDeployment(await cancelDeployment(context, deployer, id)),
  );
}

function accepted(call: Call, { accountId, id }: DeploymentRecord, message: string): DeploymentQueued {
  call.reply.code(202).header("location", `/admin/deployments/${id}`);
  return { id: accountId, deployment_id: id, status: "queued", message };
}
