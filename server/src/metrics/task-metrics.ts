import { Counter, Histogram, type Registry } from "prom-client";
import type { Context } from "../context/context.ts";
import { isEnded } from "../tasks/lifecycle.ts";
import { readTask } from "../tasks/read.ts";

/** Workspaces come and go; beyond this many names in one life of the process the rest share one. */
const executorsAtMost = 200;

export interface TaskMetrics {
  /** Resolves when every task that has ended so far is counted. */
  counted(): Promise<void>;
  stop(): void;
}

/** Counts tasks as they end, from what everyone in the process hears. */
export function createTaskMetrics(registry: Registry, context: Context): TaskMetrics {
  const labelNames = ["model", "executor"] as const;
  const registers = [registry];
  const outcomes = new Counter({
    name: "safelight_tasks_total",
    help: "Tasks that have ended since the start, by outcome: done, or the code of the failure.",
    labelNames: [...labelNames, "outcome"] as const,
    registers,
  });
  const waits = new Histogram({
    name: "safelight_task_wait_seconds",
    help: "From submit to the first start, of tasks that have ended.",
    labelNames,
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
    registers,
  });
  const runs = new Histogram({
    name: "safelight_task_run_seconds",
    help: "How long tasks ran that were done, over all their attempts.",
    labelNames,
    buckets: [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800],
    registers,
  });
  const executors = new Set<string>();
  const nameOf = (executor: string | null): string => {
    if (executor === null) return "none";
    if (!executors.has(executor) && executors.size >= executorsAtMost) return "other";
    executors.add(executor);
    return executor;
  };
  const count = async (taskId: string): Promise<void> => {
    const task = await readTask(context.database.prepareRead, taskId);
    if (task === undefined || !isEnded(task.status)) return;
    const labels = { model: task.model, executor: nameOf(task.executor) };
    outcomes.inc({ ...labels, outcome: task.status === "done" ? "done" : (task.errorCode ?? "unknown") });
    if (task.startedAt !== null) waits.observe(labels, Math.max(0, task.startedAt - task.createdAt) / 1000);
    if (task.status === "done") runs.observe(labels, task.leasedMs / 1000);
  };
  const underWay = new Set<Promise<void>>();
  const unwatch = context.hub.watch(({ signal, type, taskId, elsewhere }) => {
    // Each gateway counts what it has ended, so that their figures can be added up.
    if (signal !== "ended" || type !== "task.updated" || elsewhere === true) return;
    const counting: Promise<void> = count(taskId)
      .catch((error: unknown) => context.log.warn("a task that has ended could not be counted", { error }))
      .finally(() => underWay.delete(counting));
    underWay.add(counting);
  });
  return { counted: async () => void (await Promise.all(underWay)), stop: unwatch };
}
