// What the queue says to those who cannot see it: starts, quarters of the way, ends; nothing in between.
import { useEffect, useRef, useState } from "react";
import type { Task } from "../../../api/tasks.ts";
import { percentWords } from "../../../ui/figures.ts";
import { failureWords } from "../../../ui/task-words.ts";
import { strings } from "./list-strings.ts";

type Standing = Pick<Task, "status" | "progress">;
type Standings = ReadonlyMap<string, Standing>;

const quarter = 25;

/** What was said last, as text. */
export function Announcement({ tasks, shown }: { tasks: readonly Task[]; shown: string | null }): string {
  return useAnnouncement(tasks, shown);
}

/** The latest thing worth saying. The task on the stage tells its own progress, so only its end is told here. */
function useAnnouncement(tasks: readonly Task[], shown: string | null): string {
  const before = useRef<Standings | null>(null);
  const [said, setSaid] = useState("");
  useEffect(() => {
    const words = before.current === null ? null : announce(before.current, tasks, shown);
    before.current = new Map(tasks.map(({ id, status, progress }) => [id, { status, progress }]));
    if (words !== null) setSaid(words);
  }, [tasks, shown]);
  return said;
}

/** One sentence about what has changed, or null. Ends come first; many at once are counted instead of read out. */
export function announce(before: Standings, tasks: readonly Task[], shown: string | null): string | null {
  const changed = tasks.filter((task) => before.has(task.id) && before.get(task.id)?.status !== task.status);
  const ended = changed.filter((task) => task.finished_at !== null);
  if (ended.length > 1) {
    const done = ended.filter((task) => task.status === "done").length;
    return strings.announce.several(done, ended.length - done);
  }
  if (ended[0] !== undefined) return endWords(ended[0]);
  const further = tasks.find((task) => task.id !== shown && hasPassedQuarter(before.get(task.id), task));
  if (further !== undefined) {
    const percent = percentWords(Math.floor(further.progress / quarter) * quarter);
    return strings.announce.progress(percent, further.prompt);
  }
  const started = changed.find((task) => task.status === "processing");
  return started === undefined ? null : strings.announce.started(started.prompt);
}

function endWords(task: Task): string {
  if (task.status === "done") return strings.announce.done(task.prompt);
  return strings.announce.failed(failureWords(task.error?.code ?? null).title, task.prompt);
}

function hasPassedQuarter(before: Standing | undefined, now: Standing): boolean {
  if (before === undefined || now.status !== "processing") return false;
  return Math.floor(now.progress / quarter) > Math.floor(before.progress / quarter);
}
