// Sessions of operators, the health of all parts, and the tasks of everybody.
import type { AdminHealth, AdminSessionState, AdminTasksPage, Status } from "@safelight/contract";
import { logIn, type Operator } from "./operator.ts";
import type { Part } from "./part.ts";
import { must, mustAnswer, mustRefuse, type Probe, shapeOf } from "./probe.ts";
import { smallWork, submit, waitForEnd } from "./work.ts";

export const adminParts: readonly Part[] = [
  {
    name: "admin session",
    routes: ["createAdminSession", "getAdminSession", "deleteAdminSession"],
    check: async ({ probe, operator }) => checkAdminSession(probe, await operator()),
  },
  {
    name: "admin health",
    routes: ["getAdminHealth"],
    check: async ({ operator }) => checkAdminHealth(await operator()),
  },
  {
    name: "all tasks",
    routes: ["listAllTasks", "cancelAnyTask"],
    check: async ({ probe, operator }) => checkAllTasks(probe, await operator()),
  },
];

/** Issue, look, revoke; and that neither the key in another place nor any other credential opens a route for operators. */
async function checkAdminSession(probe: Probe, { adminKey }: Operator): Promise<string> {
  const wrong = { "x-admin-key": "no-key-of-this-installation" };
  mustRefuse(await probe.ask("createAdminSession", { as: "none", headers: wrong }), 401, "invalid_api_key");
  mustRefuse(await probe.ask("createAdminSession", { as: "none" }), 401, "invalid_api_key");
  mustRefuse(await probe.ask("createAdminSession"), 401, "invalid_api_key");
  const given = { "x-admin-key": adminKey };
  for (const name of [
    "getAdminSession",
    "getAdminHealth",
    "listAccounts",
    "listAllTasks",
    "listAuditEvents",
  ] as const) {
    mustRefuse(await probe.ask(name, { as: "none" }), 401, "session_required");
    mustRefuse(await probe.ask(name, { as: "none", headers: given }), 401, "session_required");
    mustRefuse(await probe.ask(name), 401, "session_required");
  }
  mustRefuse(await probe.ask("listModels", { as: "none", headers: given }), 401, "session_required");
  const another = await logIn(probe, adminKey);
  const state = shapeOf<AdminSessionState>("getAdminSession", await another.ask("getAdminSession"), 200);
  must(Date.parse(state.last_activity_at) <= Date.now() + 300_000, "the new admin session was last used in the future");
  mustRefuse(await probe.ask("listModels", { as: another.as }), 401, "session_required");
  mustAnswer(await another.ask("deleteAdminSession"), 204);
  mustRefuse(await another.ask("getAdminSession"), 401, "session_expired");
  mustRefuse(await another.ask("listAccounts"), 401, "session_expired");
  return "issued, used, revoked; nothing else opens the door";
}

async function checkAdminHealth(operator: Operator): Promise<string> {
  const health = shapeOf<AdminHealth>("getAdminHealth", await operator.ask("getAdminHealth"), 200);
  const names = health.parts.map(({ name }) => name);
  for (const name of ["database", "media_storage", "queue", "embedded_engine", "worker_accounts"]) {
    must(names.includes(name), `GET /admin/health says nothing of ${name}`);
  }
  const failed = health.parts.filter(({ state }) => state === "failed");
  must(failed.length === 0, failed.map(({ name, detail }) => `${name} has failed: ${detail}`).join(" "));
  must(health.ok, "GET /admin/health is not ok and names no part that has failed");
  return `${names.length} parts, ${health.ready_accounts} accounts ready`;
}

/** A task of a client is seen and cancelled by an operator; the client sees that it was. */
async function checkAllTasks(probe: Probe, operator: Operator): Promise<string> {
  const { task_id: id } = await submit(probe, await smallWork(probe, "video", true));
  const list = async (search: string) =>
    shapeOf<AdminTasksPage>("listAllTasks", await operator.ask("listAllTasks", { search }), 200);
  const page = await list("?per_page=100");
  must(
    page.items.some((task) => task.id === id),
    "GET /admin/tasks does not list a task that was just submitted",
  );
  const ask = () => operator.ask("cancelAnyTask", { path: { id } });
  shapeOf<Status>("cancelAnyTask", await ask(), 200);
  const { last } = await waitForEnd(probe, id);
  must(
    last.error?.code === "cancelled",
    `the task that an operator cancelled ended with ${last.error?.code ?? "none"}`,
  );
  const again = shapeOf<Status>("cancelAnyTask", await ask(), 200);
  must(again.finished_at === last.finished_at, "cancelling an ended task changed it");
  must(!(await lists(list, id, "done")), "GET /admin/tasks?status=done lists a task that was cancelled");
  must(await lists(list, id, "failed"), "GET /admin/tasks?status=failed does not list a task that was cancelled");
  mustRefuse(await operator.ask("listAllTasks", { search: "?status=lost" }), 422, "validation_failed");
  const nobody = { id: "00000000-0000-7000-8000-000000000000" };
  mustRefuse(await operator.ask("cancelAnyTask", { path: nobody }), 404, "task_not_found");
  return `${page.total}${page.total_is_exact ? "" : " or more"} listed, one cancelled`;
}

async function lists(list: (search: string) => Promise<AdminTasksPage>, id: string, status: string): Promise<boolean> {
  return (await list(`?per_page=100&status=${status}`)).items.some((task) => task.id === id);
}
