import type { Context } from "../context/context.ts";
import { getTask } from "./get.ts";
import { isEnded } from "./lifecycle.ts";
import type { TaskRecord } from "./task-record.ts";

/**
 * Resolves with the newest record once its version differs from `version`, at once when it already does or when the task
 * has ended, otherwise after `timeoutMs` or when the signal fires. Errors: `task_not_found`.
 */
export async function waitForChange(
  context: Context,
  id: string,
  version: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<TaskRecord> {
  const news = listenFor(context, id, timeoutMs, signal);
  try {
    // The subscription stands before the first look, so nothing can happen unseen in between.
    let task = await getTask(context, id);
    while (task.version === version && !isEnded(task.status) && (await news.next())) task = await getTask(context, id);
    return news.over() ? await getTask(context, id) : task;
  } finally {
    news.close();
  }
}

/** `next` resolves true when something happened to the task, false when the time is over. */
function listenFor(context: Context, id: string, timeoutMs: number, signal: AbortSignal) {
  let happened = false;
  let ended = signal.aborted;
  let wake = (): void => {};
  const finish = (): void => {
    ended = true;
    wake();
  };
  const look = (): void => {
    happened = true;
    wake();
  };
  const unsubscribe = context.hub.subscribe(({ taskId }) => {
    if (taskId === id) look();
  });
  const unhear = context.hub.onMissed(look);
  const timer = setTimeout(finish, timeoutMs);
  signal.addEventListener("abort", finish);
  return {
    over: () => ended,
    next: async (): Promise<boolean> => {
      if (!happened && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const fresh = happened;
      happened = false;
      return fresh && !ended;
    },
    close: () => {
      unsubscribe();
      unhear();
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
    },
  };
}
