/** Actions of the audit log that can be chosen before one of them was seen. */
export const auditActions: readonly string[] = [
  "add_account",
  "admin_session_create",
  "admin_session_delete",
  "admin_session_get",
  "cancel_deployment",
  "cancel_task",
  "check_account",
  "content_refused",
  "cors_origin_blocked",
  "delete_account",
  "deploy_account",
  "deploy_all",
  "disable_account",
  "drain_account",
  "enable_account",
  "front_task",
  "list_accounts",
  "list_tasks",
  "pause_queue",
  "proxy_target_invalid",
  "rate_limited",
  "read_health",
  "read_logs",
  "resume_queue",
  "revoke_secret",
  "rollback_account",
  "rotate_secret",
  "secret_access_denied",
  "task_stale",
  "update_account",
];

/** Actions that only look: a dashboard that stands open leaves one of each every minute. */
const reads: ReadonlySet<string> = new Set([
  "admin_session_get",
  "list_accounts",
  "list_deployments",
  "list_tasks",
  "read_deployment",
  "read_health",
  "read_logs",
  "read_metrics",
  "read_queue",
  "read_statistics",
]);

/** Whether a record tells that somebody looked, and no more; being refused is more. */
export function isMereRead({ action, outcome }: { action: string; outcome: string }): boolean {
  return outcome === "success" && reads.has(action);
}
