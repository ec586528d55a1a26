import type { AuditAction } from "@safelight/contract";

/** Actions that only look: a dashboard that stands open leaves one of each every minute. */
const reads: ReadonlySet<string> = new Set<AuditAction>([
  "admin_session_get",
  "list_accounts",
  "list_deployments",
  "list_tasks",
  "read_deployment",
  "read_health",
  "read_logs",
  "read_metrics",
  "read_queue",
  "read_secrets",
  "read_statistics",
  "read_storage",
]);

/** Whether a record tells that somebody looked, and no more; being refused is more. */
export function isMereRead({ action, outcome }: { action: string; outcome: string }): boolean {
  return outcome === "success" && reads.has(action);
}
