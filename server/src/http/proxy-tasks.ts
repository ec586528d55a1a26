/** Status and cancel of tasks inside workspaces. The workspace was found in the registry before anything here is called. */
import type { Status } from "@safelight/contract";
import type { WorkerTask } from "@safelight/contract/worker";
import { describeInside } from "../proxy/describe-inside.ts";
import { explainFailure } from "../proxy/explain-failure.ts";
import type { InsideTask } from "../proxy/workspace-tasks.ts";
import type { Installation } from "./installation.ts";
import type { Call } from "./register.ts";
import { whileCalled } from "./while-called.ts";

/** `wait`: seconds. Errors: `task_not_found`, `worker_unreachable`. */
export async function statusInside(
  installation: Installation,
  call: Call,
  task: InsideTask,
  wait: number,
): Promise<Status> {
  const answer = await whileCalled(installation, call, (signal) =>
    installation.workspaceTasks.status(task, wait, signal),
  );
  return describe(call, task, answer);
}

/** Errors: `task_not_found`, `worker_unreachable`. */
export async function cancelInside(installation: Installation, call: Call, task: InsideTask): Promise<Status> {
  const answer = await installation.workspaceTasks.cancel(task);
  call.context.log.info("a task inside a workspace was told to stop", {
    workspace: task.account.workspace,
    task_id: task.id,
    state: answer.state,
  });
  return describe(call, task, answer);
}

function describe({ context }: Call, { account: { workspace } }: InsideTask, answer: WorkerTask): Status {
  const publicBaseUrl = context.config.publicBaseUrl ?? "";
  try {
    return describeInside(answer, { workspace, publicBaseUrl, now: context.clock.now() });
  } catch (error) {
    throw explainFailure(error, workspace, null);
  }
}
