import type { DeploymentRecord } from "./deployment-record.ts";

/**
 * Which deploy a rollback brings back: the last that worked before the newest one. After a failed deploy that is what still runs;
 * after a rollback it is one step further back; a failed rollback is tried again. What never started changed nothing and does not
 * count. Null where there is none. `deployments`: all of one account, in any order.
 */
export function rollbackTarget(deployments: readonly DeploymentRecord[]): DeploymentRecord | null {
  const ended = deployments
    .filter(({ startedAt, finishedAt }) => startedAt !== null && finishedAt !== null)
    .sort((a, b) => b.version - a.version);
  const [newest] = ended;
  if (newest === undefined) return null;
  const original = (one: DeploymentRecord) =>
    one.kind === "deploy" ? one : (deployments.find(({ id }) => id === one.rollbackOf) ?? null);
  if (newest.status === "failed") {
    if (newest.kind === "rollback") return original(newest);
    const last = ended.find(({ status }) => status === "done");
    return last === undefined ? null : original(last);
  }
  const before = original(newest)?.version ?? 0;
  return ended.find(({ kind, status, version }) => kind === "deploy" && status === "done" && version < before) ?? null;
}
