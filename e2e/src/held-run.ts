// States that pass by themselves are looked at while nothing moves: the embedded engine is stopped in the middle of a run.
// A test that watched the page alone would race with the engine.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ask } from "./scenes.ts";
import type { Visit } from "./visitor.ts";

/**
 * Looks while the task stands still in the middle of its run, some steps done and some to come; then lets it go on.
 * @throws Error when the task has ended before it could be held: it was too quick, choose a longer one.
 */
export async function whileHeld(visit: Visit, id: string, look: () => Promise<unknown>): Promise<void> {
  // Looked for before the run is far enough: finding a process takes longer than a step.
  let groups = await engines(visit);
  for (;;) {
    const answer = await ask(visit, `/status/${id}?wait=20`);
    const { status, step } = (await answer.json()) as { status: string; step: number | null };
    if (status === "done" || status === "failed") throw new Error(`task ${id} has ended before it could be held`);
    if (groups.length === 0) groups = await engines(visit);
    if (groups.length > 0 && status === "processing" && (step ?? 0) > 0) break;
  }
  for (const group of groups) process.kill(-group, "SIGSTOP");
  try {
    const { status } = (await (await ask(visit, `/status/${id}`)).json()) as { status: string };
    if (status !== "processing") throw new Error(`task ${id} has ended before it could be held`);
    await look();
  } finally {
    for (const group of groups) goOn(group);
  }
}

function goOn(group: number): void {
  try {
    process.kill(-group, "SIGCONT");
  } catch (error) {
    // A cancel has ended it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
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
