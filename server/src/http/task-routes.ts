import { routes, type TasksQuery } from "@safelight/contract";
import { SafelightError } from "../errors.ts";
import { cancelTask } from "../tasks/cancel.ts";
import { describeTask } from "../tasks/describe.ts";
import { describeItem } from "../tasks/describe-item.ts";
import { getTask } from "../tasks/get.ts";
import { isEnded } from "../tasks/lifecycle.ts";
import { listTasks } from "../tasks/list.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { waitForChange } from "../tasks/wait.ts";
import type { Installation } from "./installation.ts";
import { readListQuery } from "./list-query.ts";
import { type Call, credentialOf, type Registrar, register } from "./register.ts";
import { StatusAnswers } from "./status-answers.ts";
import { parseTaskId } from "./task-id.ts";

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

  register(registrar, routes.cancelTask, async ({ context, id }) =>
    describeTask(context, await cancelTask(context, await parseTaskId(context, id))),
  );

  register<TasksQuery>(registrar, routes.listTasks, ({ context, query }) => listTasks(context, readListQuery(query)));

  register(registrar, routes.getTask, async ({ context, id }) =>
    describeItem(context, await getTask(context, await parseTaskId(context, id))),
  );
}

async function answerStatus(installation: Installation, call: Call<StatusQuery>, answers: StatusAnswers) {
  const id = await parseTaskId(call.context, call.id);
  const { commits } = call.context.database;
  const task = await getTask(call.context, id);
  const wait = call.query.wait ?? 0;
  if (wait > 0 && !isEnded(task.status))
    return describeTask(call.context, await waitOn(installation, call, task, wait));
  const text = JSON.stringify(await describeTask(call.context, task));
  answers.keep(id, text, { commits, ended: isEnded(task.status) });
  return sendJson(call, text);
}

function sendJson({ reply }: Call<StatusQuery>, text: string) {
  return reply.header("content-type", "application/json; charset=utf-8").send(text);
}

/** Ends early when the caller leaves, the server stops, or the credential of the call is revoked meanwhile. */
async function waitOn(installation: Installation, call: Call, task: TaskRecord, seconds: number): Promise<TaskRecord> {
  const over = new AbortController();
  const end = () => over.abort();
  let revoked = false;
  const forget = installation.streams.track(credentialOf(call), () => {
    revoked = true;
    end();
  });
  const { socket } = call.request.raw;
  socket.once("close", end);
  installation.stopping.addEventListener("abort", end);
  if (installation.stopping.aborted) end();
  try {
    const newest = await waitForChange(call.context, task.id, task.version, seconds * 1000, over.signal);
    if (revoked && !installation.stopping.aborted)
      throw new SafelightError("session_expired", "This session has ended.");
    return newest;
  } finally {
    forget();
    socket.removeListener("close", end);
    installation.stopping.removeEventListener("abort", end);
  }
}
