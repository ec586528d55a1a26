import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { isEnded, MAX_ATTEMPTS } from "../tasks/lifecycle.ts";
import { type TaskRecord, toTaskRecord } from "../tasks/task-record.ts";
import { type Core, namesIn } from "./core.ts";

export async function allTasks(core: Core): Promise<TaskRecord[]> {
  return (await core.context.database.prepareRead("SELECT * FROM tasks ORDER BY sequence").all()).map(toTaskRecord);
}

/** Everything that must hold at any moment, whatever has happened. Returns what does not, in words. */
export async function brokenPromises(core: Core): Promise<string[]> {
  const broken: string[] = [];
  const files = await namesIn(core.context.media.list("results/"));
  for (const task of await allTasks(core)) {
    const say = (what: string): void => void broken.push(`${task.id} (${task.status}): ${what}`);
    if (task.attempt > MAX_ATTEMPTS) say(`attempt ${task.attempt}`);
    if (task.status === "pending" && (task.startedAt !== null || task.attempt !== 0)) say("has started");
    if (task.status === "failed" && (task.errorCode === null || !task.errorMessage)) say("no reason");
    if (task.leaseOwner !== null && task.status !== "processing") say("has a lease");
    if (isEnded(task.status) !== (task.finishedAt !== null)) say("finished_at does not fit");
    if ((task.progress === 100) !== (task.status === "done")) say(`progress ${task.progress}`);
    if (task.cancelRequestedAt !== null && task.status === "done") say("done although its cancel was acknowledged");
    if (task.status === "done") broken.push(...(await resultFaults(core, task)));
    else if (task.resultPath !== null) say("names a result");
  }
  broken.push(...(await historyFaults(core)));
  const named = new Set((await allTasks(core)).map((task) => task.resultPath));
  const unended = new Set((await allTasks(core)).filter((task) => !isEnded(task.status)).map((task) => task.id));
  for (const file of files) {
    const id = file.slice("results/".length).replace(/-\d+\.[a-z0-9]+$/, "");
    if (!named.has(file) && !unended.has(id)) broken.push(`${file}: named by no record`);
  }
  return broken;
}

async function resultFaults(core: Core, task: TaskRecord): Promise<string[]> {
  if (task.resultPath === null) return [`${task.id}: done without a result`];
  const bytes = await core.context.media.open(task.resultPath).then(buffer, () => null);
  if (bytes === null) return [`${task.id}: its file cannot be read`];
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return sha256 === task.resultSha256 && bytes.byteLength === task.resultBytes ? [] : [`${task.id}: another file`];
}

const rank = { pending: 0, processing: 1, done: 2, failed: 2 };

/** What the event log tells of each task: its status never goes back, its progress never falls, nothing follows the end. */
async function historyFaults(core: Core): Promise<string[]> {
  const faults: string[] = [];
  const last = new Map<string, { status: keyof typeof rank; progress: number; attempt: number }>();
  const rows = await core.context.database
    .prepareRead("SELECT task_id, data FROM events WHERE type = 'task.updated' ORDER BY id")
    .all();
  for (const row of rows) {
    const id = String(row.task_id);
    const next = JSON.parse(String(row.data)) as { status: keyof typeof rank; progress: number; attempt: number };
    const before = last.get(id);
    if (before !== undefined) {
      if (rank[next.status] < rank[before.status]) faults.push(`${id}: went from ${before.status} to ${next.status}`);
      if (isEnded(before.status)) faults.push(`${id}: ${next.status} was told after ${before.status}`);
      if (next.progress < before.progress)
        faults.push(`${id}: progress fell from ${before.progress} to ${next.progress}`);
      if (next.attempt < before.attempt) faults.push(`${id}: attempt fell`);
    }
    last.set(id, next);
  }
  for (const task of await allTasks(core)) {
    const told = last.get(task.id)?.status;
    if (told !== task.status) faults.push(`${task.id}: is ${task.status}, but the last event says ${told}`);
  }
  return faults;
}
