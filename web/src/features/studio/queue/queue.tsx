import { X } from "lucide-react";
import type { Task } from "../../../api/tasks.ts";
import { durationText, strings } from "./strings.ts";
import { failureTitle, isActive, progressWords, secondsTaken } from "./task-words.ts";
import { Thumbnail } from "./thumbnail.tsx";
import { useCancel } from "./use-cancel.ts";

interface QueueProps {
  tasks: readonly Task[];
  /** How many there are in all, listed or not. */
  active: { running: number; waiting: number };
  chosen: string | null;
  onChoose: (id: string) => void;
}

/** How many ended tasks stay in sight beside the active ones. */
const endedShown = 12;

/** Every running and waiting task and the latest ended ones. */
export function Queue({ tasks, active, chosen, onChoose }: QueueProps) {
  const running = tasks.filter((task) => task.status === "processing");
  const waiting = tasks.filter((task) => task.status === "pending").reverse();
  const ended = tasks.filter((task) => !isActive(task)).slice(0, endedShown);
  const groups = [
    { title: strings.running, tasks: running },
    { title: strings.waitingGroup, tasks: waiting },
    { title: strings.ended, tasks: ended },
  ];
  return (
    <aside className="studio-queue" aria-label={strings.tasks}>
      <h2 className="flex min-h-12 items-center gap-2 border-b border-line px-4">
        {strings.tasks}{" "}
        <span className="num font-normal text-faint">{strings.queueSummary(active.running, active.waiting)}</span>
      </h2>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {groups.map((group) =>
          group.tasks.length === 0 ? null : (
            <section key={group.title} aria-label={group.title}>
              <h3 className="px-4 pt-3 pb-1 text-label font-medium text-faint">{group.title}</h3>
              {group.tasks.map((task) => (
                <QueueItem key={task.id} task={task} current={task.id === chosen} onChoose={() => onChoose(task.id)} />
              ))}
            </section>
          ),
        )}
      </div>
    </aside>
  );
}

function QueueItem({ task, current, onChoose }: { task: Task; current: boolean; onChoose: () => void }) {
  const cancel = useCancel();
  return (
    <article className="queue-item">
      <button type="button" className="queue-show" aria-current={current} onClick={onChoose}>
        <Thumbnail task={task} />
        <span className="min-w-0">
          <span className="line-clamp-2" dir="auto">
            {task.prompt}
          </span>
          <Meta task={task} />
        </span>
      </button>
      {isActive(task) ? (
        <button
          type="button"
          className="icon-btn icon-btn-small"
          aria-label={strings.cancelTask(task.prompt)}
          title={strings.cancel}
          onClick={() => cancel.mutate(task.id)}
        >
          <X className="icon" aria-hidden="true" />
        </button>
      ) : null}
      {task.status === "processing" ? (
        <div className="bar" aria-hidden="true">
          <i style={{ width: `${task.progress}%` }} />
        </div>
      ) : null}
    </article>
  );
}

function Meta({ task }: { task: Task }) {
  if (task.status === "failed")
    return <span className="block text-label text-danger">{failureTitle(task.error?.code ?? null)}</span>;
  const taken = secondsTaken(task);
  return (
    <span className="num flex flex-wrap gap-x-2 text-label text-faint">
      {task.status === "processing" ? <b className="font-medium text-text">{strings.percent(task.progress)}</b> : null}
      {isActive(task) ? <span>{progressWords(task)}</span> : null}
      {task.status === "processing" && task.eta_seconds !== null ? (
        <span>{strings.left(durationText(task.eta_seconds))}</span>
      ) : null}
      {task.status === "done" && taken !== null ? <span>{strings.doneIn(durationText(taken))}</span> : null}
    </span>
  );
}
