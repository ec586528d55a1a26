// Who used the processor: seconds of processor time of a process and of everything it has started, from /proc.
import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc; the same on every Linux that Node runs on. */
const ticks = 100;

/** Of the process and of all that it has started and that still runs or was waited for. Zero for one that is gone. */
export function processorSeconds(root: number): number {
  const children = new Map<number, { pid: number; ticks: number }[]>();
  let own = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statOf(Number(name));
    if (fields === null) continue;
    // After the name: state, parent, …, own time in user and system mode, and that of children that were waited for.
    const used = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    if (Number(name) === root) own = used;
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), { pid: Number(name), ticks: used }]);
  }
  const below = (pid: number): number =>
    (children.get(pid) ?? []).reduce((sum, child) => sum + child.ticks + below(child.pid), 0);
  return (own + below(root)) / ticks;
}

function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}
