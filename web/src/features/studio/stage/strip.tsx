import type { Task } from "../../../api/tasks.ts";
import { currentLanguage } from "../../../ui/language.ts";
import { isActive } from "../queue/task-words.ts";
import { Thumbnail } from "../queue/thumbnail.tsx";
import { strings } from "./strings.ts";

interface StripProps {
  tasks: readonly Task[];
  chosen: string | null;
  onChoose: (id: string) => void;
}

/** The latest tasks, newest first, as a strip of contact prints. */
export function Strip({ tasks, chosen, onChoose }: StripProps) {
  if (tasks.length === 0) return null;
  return (
    <section className="strip" aria-label={strings.latest}>
      {tasks.map((task) => (
        <StripItem key={task.id} task={task} current={task.id === chosen} onChoose={() => onChoose(task.id)} />
      ))}
    </section>
  );
}

function StripItem({ task, current, onChoose }: { task: Task; current: boolean; onChoose: () => void }) {
  return (
    <button type="button" className="strip-item" aria-current={current} title={task.prompt} onClick={onChoose}>
      <Thumbnail task={task} />
      <span className="visually-hidden">{strings.show(task.prompt)}, </span>
      <span className="num">{caption(task)}</span>
    </button>
  );
}

function caption(task: Task): string {
  if (task.status === "pending") return strings.waitingShort;
  if (isActive(task)) return strings.percent(task.progress);
  return new Date(task.finished_at ?? task.created_at).toLocaleTimeString(currentLanguage(), {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  });
}
