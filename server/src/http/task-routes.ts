import { routes, type TasksQuery } from "@safelight/contract";
import { cancelTask } from "../tasks/cancel.ts";
import { describeTask } from "../tasks/describe.ts";
import { describeItem } from "../tasks/describe-item.ts";
import { getTask } from "../tasks/get.ts";
import { isEnded } from "../tasks/lifecycle.ts";
import { listTasks } from "../tasks/list.ts";
import { waitForChange } from "../tasks/wait.ts";
import type { Installation } from "./installation.ts";
import { readListQuery } from "./list-query.ts";
import { cancelInside, statusInside } from "./proxy-tasks.ts";
import { type Call, type Registrar, register } from "./register.ts";
import { StatusAnswers } from "./status-answers.ts";
import { parseTaskId, readTaskAddress } from "./task-id.ts";
import { whileCalled } from "./while-called.ts";

interface StatusQuery {
  /** Seconds. */
  readonly wait?: number;
}

export function registerTaskRoutes(registrar: Registrar): void {
  const { installation } = registrar;
  const answers = new StatusAnswers(installation.context.database);
  register<StatusQuery>(registrar, routes.getStatus, (call) => {
    const known = call.query.wait === undefined ? answers.find(call.id) : undefined;
    return known === undefined ? answerStatus(installation, call, answers) : sendJson(call, known);
  });

  register(registrar, routes.cancelTask, async (call) => {
    const address = await readTaskAddress(call.context, call.id, routes.cancelTask.path);
    if (address.account !== null) return cancelInside(installation, call, address);
    return describeTask(call.context, await cancelTask(call.context, address.id));
  });

  register<TasksQuery>(registrar, routes.listTasks, ({ context, query }) => listTasks(context, readListQuery(query)));

  register(registrar, routes.getTask, async ({ context, id }) =>
    describeItem(context, await getTask(context, await parseTaskId(context, id))),
  );
}

async function answerStatus(installation: Installation, call: Call<StatusQuery>, answers: StatusAnswers) {
  const wait = call.query.wait ?? 0;
  const address = await readTaskAddress(call.context, call.id, routes.getStatus.path);
  if (address.account !== null) return statusInside(installation, call, address, wait);
  const { id } = address;
  const { commits } = call.context.database;
  const task = await getTask(call.context, id);
  if (wait > 0 && !isEnded(task.status)) {
    const newest = await whileCalled(installation, call, (signal) =>
      waitForChange(call.context, task.id, task.version, wait * 1000, signal),
    );
    return describeTask(call.context, newest);
  }
  const text = JSON.stringify(await describeTask(call.context, task));
  answers.keep(id, text, { commits, ended: isEnded(task.status) });
  return sendJson(call, text);
}

function sendJson({ reply }: Call<StatusQuery>, text: string) {
  return reply.header("content-type", "application/json; charset=utf-8").send(text);
}
