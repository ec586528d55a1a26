import { type FrontRequest, routes } from "@safelight/contract";
import { describeQueue, pauseQueue, resumeQueue, setFront } from "../queue/pause.ts";
import type { Registrar } from "./register.ts";
import { registerAdmin } from "./register-admin.ts";
import { parseTaskId } from "./task-id.ts";

export function registerAdminQueueRoutes(registrar: Registrar): void {
  registerAdmin(registrar, routes.getQueue, { action: "read_queue", records: "failures" }, ({ context }) =>
    describeQueue(context),
  );
  registerAdmin(registrar, routes.pauseQueue, { action: "pause_queue", records: "change" }, ({ context }) =>
    pauseQueue(context),
  );
  registerAdmin(registrar, routes.resumeQueue, { action: "resume_queue", records: "change" }, ({ context }) =>
    resumeQueue(context),
  );
  registerAdmin<unknown, FrontRequest>(
    registrar,
    routes.frontTask,
    { action: "front_task", records: "change" },
    async ({ context, id, body }) => setFront(context, await parseTaskId(context, id), body.front),
  );
}
