/** What operators do besides worker accounts: log in, look at health, tasks and the audit log. */
import { endpoints } from "../endpoints.ts";
import { AdminHealth, AdminTasksPage, AuditPage, AuditQuery } from "../schemas/admin.ts";
import { AdminKeyHeaders, AdminSessionState } from "../schemas/admin-session.ts";
import { TaskPath } from "../schemas/fields.ts";
import { Status } from "../schemas/status.ts";
import { TasksQuery } from "../schemas/tasks.ts";
import { door, json, machine, oneTask, origin } from "./error-sets.ts";

export const adminRoutes = {
  createAdminSession: {
    name: "createAdminSession",
    ...endpoints.createAdminSession,
    group: "admin",
    access: "admin-key",
    summary: "Log in as an operator",
    description:
      "Issues an admin session as the HttpOnly cookie gg_admin_session, for the admin key in the X-Admin-Key header. It ends after 12 hours without use.",
    headers: AdminKeyHeaders,
    responses: {
      204: {
        description: "The session was started.",
        headers: { "Set-Cookie": "gg_admin_session: HttpOnly, Path=/admin, SameSite=Strict, Secure on https." },
      },
    },
    errors: ["rate_limited", ...origin, "invalid_api_key", "auth_unavailable", "internal"],
  },
  getAdminSession: {
    name: "getAdminSession",
    ...endpoints.getAdminSession,
    group: "admin",
    access: "admin",
    summary: "Check the admin session",
    description: "Says whether the admin session of the cookie is good. Asking is no use of it: it ends all the same.",
    responses: { 200: { description: "The session is good.", content_type: json, schema: AdminSessionState } },
    errors: [...door, "internal"],
  },
  deleteAdminSession: {
    name: "deleteAdminSession",
    ...endpoints.deleteAdminSession,
    group: "admin",
    access: "admin",
    summary: "Log out as an operator",
    description: "Revokes the admin session for good and clears the cookie.",
    responses: {
      204: { description: "The session has ended.", headers: { "Set-Cookie": "Clears gg_admin_session." } },
    },
    errors: [...door, "internal"],
  },
  getAdminHealth: {
    name: "getAdminHealth",
    ...endpoints.getAdminHealth,
    group: "admin",
    access: "admin",
    summary: "Look at every part",
    description:
      "How database, storage, queue, engine and worker accounts are. Makes no check; it tells what is known.",
    responses: { 200: { description: "The state of the parts.", content_type: json, schema: AdminHealth } },
    errors: [...door, "internal"],
  },
  listAuditEvents: {
    name: "listAuditEvents",
    ...endpoints.listAuditEvents,
    group: "admin",
    access: "admin",
    summary: "Read the audit log",
    description: "What operators, clients and the server did, newest first. All filters that are given must hold.",
    query: AuditQuery,
    responses: { 200: { description: "One page.", content_type: json, schema: AuditPage } },
    errors: [...door, "validation_failed", ...machine],
  },
  listAllTasks: {
    name: "listAllTasks",
    ...endpoints.listAllTasks,
    group: "admin",
    access: "admin",
    summary: "List all tasks",
    description: "The tasks of every client in every state, newest first, with what runs or ran them.",
    query: TasksQuery,
    responses: { 200: { description: "One page.", content_type: json, schema: AdminTasksPage } },
    errors: [...door, "validation_failed", ...machine],
  },
  cancelAnyTask: {
    name: "cancelAnyTask",
    ...endpoints.cancelAnyTask,
    group: "admin",
    access: "admin",
    summary: "Cancel any task",
    description:
      "A pending task ends at once, a running one is told to stop; both end failed with the code cancelled. A task that has ended is answered unchanged.",
    path_parameters: TaskPath,
    responses: { 200: { description: "The status after the request.", content_type: json, schema: Status } },
    errors: [...door, ...oneTask, ...machine],
  },
} as const;
