import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import { channels } from "../gateways/channels.ts";
import { failQueued } from "./change-deployment.ts";
import { cancelOf, type Deployer } from "./deployer.ts";
import { type DeploymentRecord, requireDeployment } from "./deployment-record.ts";

/**
 * Ends one that waits at once; the command of a running one is told to end, and the deployment ends with it. One that has ended is
 * answered unchanged. Errors: `not_found`.
 */
export async function cancelDeployment(context: Context, deployer: Deployer, id: string): Promise<DeploymentRecord> {
  return context.database.write(async (tx) => {
    const record = await requireDeployment(tx.prepare, id);
    if (record.finishedAt !== null) return record;
    if (record.status === "queued") await failQueued(context, tx, record);
    else {
      // Written down first: a restart in between must not forget that somebody wanted it to end.
      await tx
        .prepare("UPDATE deployments SET cancel_requested_at = coalesce(cancel_requested_at, ?) WHERE number = ?")
        .run(context.clock.now(), record.number);
    }
    const { workspace, version, status } = record;
    const details = { deployment: id, version, status };
    await appendAudit(context, tx, { action: "cancel_deployment", target: workspace, outcome: "success", details });
    await tx.notify(channels.deployments, cancelOf(id));
    tx.afterCommit(() => {
      deployer.endRun(id, "cancelled");
      deployer.announce(id);
    });
    return requireDeployment(tx.prepare, id);
  });
}
