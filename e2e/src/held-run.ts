// States that pass by themselves are looked at while nothing moves: the embedded engine is stopped in the middle of a run.
// A test that watched the page alone would race with the engine.
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ask } from "./scenes.ts";
import type { Visit } from "./visitor.ts";

/** How long the engine draws before it is looked at how far it has come, in milliseconds: a step or two on a quiet machine. */
const burst = 40;

/**
 * Has a task begun, looks while it stands still in the middle of its run, some steps done and some to come, and lets it go on; answers
 * its id. On the way there the engine is let go for moments only: a busy server learns late how far it has come, and a busy test later.
 * @throws Error when the task has ended before it could be held: it was too quick, choose a longer one.
 */
export async function whileHeld(
  visit: Visit,
  begin: () => Promise<string>,
  look: () => Promise<unknown>,
): Promise<string> {
  let groups = await engines(visit);
  try {
    groups = groups.filter((group) => signal(group, "SIGSTOP"));
    const id = await begin();
    while (!(await isHeld(visit, id, groups))) {
      for (const group of groups) signal(group, "SIGCONT");
      // An engine is started with the first task that wants one.
      if (groups.length === 0) groups = await engines(visit);
      else await sleep(burst);
      groups = groups.filter((group) => signal(group, "SIGSTOP"));
    }
    await look();
    return id;
  } finally {
    for (const group of groups) signal(group, "SIGCONT");
  }
}

/** Whether the run is in its steps, also once the server has told everything that the engine had said before it was stopped. */
async function isHeld(visit: Visit, id: string, groups: readonly number[]): Promise<boolean> {
  const read = async (wait: number) => {
    const answer = await ask(visit, `/status/${id}?wait=${wait}`);
    const task = (await answer.json()) as { status: string; stage: string; step: number | null; updated_at: string };
    if (task.status === "done" || task.status === "failed")
      throw new Error(`task ${id} has ended before it could be held`);
    return task;
  };
  const isInSteps = ({ stage, step }: { stage: string; step: number | null }) => stage === "denoise" && (step ?? 0) > 0;
  if (groups.length === 0 || !isInSteps(await read(0))) return false;
  let [before, now] = [await read(1), await read(1)];
  while (before.updated_at !== now.updated_at) [before, now] = [now, await read(1)];
  if (!isInSteps(now)) throw new Error(`task ${id} was nearly over before it could be held`);
  return true;
}

/** False where the group is no more: a cancel has ended it meanwhile, or the end of its server. */
function signal(group: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(-group, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    return false;
  }
}

/** Process groups of the server's engines: each leads one of its own, with the encoder it may have started. */
async function engines(visit: Visit): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,args="]);
  return stdout.split("\n").flatMap((line) => {
    const [pid, parent, ...command] = line.trim().split(/\s+/);
    const isEngine = Number(parent) === visit.server.child.pid && command.join(" ").includes("engine/src/child");
    return isEngine ? [Number(pid)] : [];
  });
}
