import type { Task } from "../../../api/tasks.ts";

/**
 * The task to go on to while the stage follows what was submitted here: the one of them that runs, oldest first. Null
 * while the one on the stage runs itself, and while none does. `tasks` are newest first.
 */
export function followed(tasks: readonly Task[], own: readonly string[], shown: Task | null): string | null {
  if (shown?.status === "processing") return null;
  const running = tasks.findLast((task) => task.status === "processing" && own.includes(task.id));
  return running === undefined || running.id === shown?.id ? null : running.id;
}

/** What to show when the task on the stage is being deleted: the next older one in sight, else the next newer. */
export function nextInSight(tasks: readonly Task[], id: string | null, hidden: ReadonlySet<string>): Task | undefined {
  const at = tasks.findIndex((task) => task.id === id);
  const isInSight = (task: Task) => !hidden.has(task.id);
  return tasks.slice(at + 1).find(isInSight) ?? tasks.slice(0, Math.max(0, at)).findLast(isInSight);
}
