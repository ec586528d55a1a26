// How long a run will take, from runs like it. Where there was none like it nothing is promised.
import type { StudioModel } from "../../../../api/models.ts";
import type { Task } from "../../../../api/tasks.ts";

/** As many of the latest runs are asked. */
const asked = 5;
/** A run is like another when its amount of work differs by no more than this share. */
const likeness = 0.25;

/** The middle of what the latest runs like this one took, in seconds; null without any. */
export function secondsExpected(
  model: StudioModel,
  mode: string,
  numbers: Readonly<Record<string, number>>,
  tasks: readonly Task[],
): number | null {
  const wanted = workOf(model, numbers);
  const taken = tasks
    .filter((task) => task.status === "done" && task.model === model.id && task.mode === mode)
    .filter((task) => (task.engine === "sketch") === (model.engine === "sketch"))
    .filter((task) => Math.abs(workOf(model, task.parameters) - wanted) <= wanted * likeness)
    .map(secondsOf)
    .filter((seconds) => seconds !== null)
    .slice(0, asked)
    .sort((a, b) => a - b);
  return taken[Math.floor(taken.length / 2)] ?? null;
}

/** Pixels times frames times steps: whatever of them the model has. */
function workOf(model: StudioModel, values: Readonly<Record<string, unknown>>): number {
  const counted = model.parameters.filter(({ unit, name }) => unit === "px" || unit === "frames" || name === "steps");
  return counted.reduce((work, { name }) => work * (Number(values[name]) || 1), 1);
}

function secondsOf({ started_at: start, finished_at: end }: Task): number | null {
  return start === null || end === null ? null : Math.max(0, Date.parse(end) - Date.parse(start)) / 1000;
}
