import { type AdminTask, type AuditQuery, routes, type TasksQuery } from "@safelight/contract";
import { type AuditFilters, listAuditEvents } from "../audit/list.ts";
import { cancelTask } from "../tasks/cancel.ts";
import { describeTask } from "../tasks/describe.ts";
import { describeItem } from "../tasks/describe-item.ts";
import { describePage } from "../tasks/list.ts";
import { describeHealth } from "./admin-health.ts";
import { readListQuery, readTime } from "./list-query.ts";
import type { Registrar } from "./register.ts";
import { registerAdmin } from "./register-admin.ts";
import { parseTaskId } from "./task-id.ts";

export function registerAdminRoutes(registrar: Registrar): void {
  const { installation } = registrar;

  registerAdmin(registrar, routes.getAdminHealth, { action: "read_health", records: "failures" }, () =>
    describeHealth(installation),
  );

  registerAdmin<AuditQuery>(
    registrar,
    routes.listAuditEvents,
    { action: "read_logs", records: "read" },
    ({ context, query }) => listAuditEvents(context, readAuditQuery(query)),
  );

  registerAdmin<TasksQuery>(
    registrar,
    routes.listAllTasks,
    { action: "list_tasks", records: "failures" },
    ({ context, query }) =>
      describePage(
        context,
        readListQuery(query),
        async (task): Promise<AdminTask> => ({
          ...(await describeItem(context, task)),
          executor: task.executor,
          waiting:
            task.status === "pending"
              ? [...(await context.waiting.explain(context.database.prepareRead, task)).each]
              : [],
          front: task.front,
        }),
      ),
  );

  registerAdmin(
    registrar,
    routes.cancelAnyTask,
    { action: "cancel_task", records: "change" },
    async ({ context, id }) => describeTask(context, await cancelTask(context, await parseTaskId(context, id))),
  );
}

function readAuditQuery({ from, to, ...rest }: AuditQuery): AuditFilters {
  return {
    ...rest,
    ...(from === undefined ? {} : { from: readTime("from", from) }),
    ...(to === undefined ? {} : { to: readTime("to", to) }),
  };
}
