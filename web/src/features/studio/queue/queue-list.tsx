import { useMemo, useRef } from "react";
import { type StudioModel, useModels } from "../../../api/models.ts";
import { useResubmit } from "../../../api/resubmit.ts";
import type { Task } from "../../../api/tasks.ts";
import { useNavigate } from "../../../ui/router.tsx";
import { dismissAllEnded, dismissEnded, useEndedTasks } from "./ended-tasks.ts";
import { strings } from "./list-strings.ts";
import { type QueueActions, QueueItem } from "./queue-item.tsx";
import { strings as emptyQueue } from "./strings.ts";
import { useCancel, useCancelAll } from "./use-cancel.ts";
import { useMovingRows } from "./use-moving-rows.ts";

interface QueueListProps {
  /** All that is known; the queue picks what belongs to it. */
  tasks: readonly Task[];
  active: { running: number; waiting: number };
  chosen: string | null;
  onChoose: (id: string) => void;
}

/** Of a longer queue the foremost are shown, and how many more there are: the history lists them all. */
const waitingShown = 24;
const none: readonly StudioModel[] = [];

/** What runs, what waits, and what ended in front of the person. */
export function QueueList({ tasks, active, chosen, onChoose }: QueueListProps) {
  const models = useModels().data ?? none;
  const actions = useActions(onChoose);
  const body = useRef<HTMLDivElement>(null);
  const cancelAll = useCancelAll();
  const ended = useEndedTasks(tasks, true);
  const running = tasks.filter((task) => task.status === "processing");
  const waiting = tasks
    .filter((task) => task.status === "pending")
    .toSorted(byPlace)
    .slice(0, waitingShown);
  const further = active.waiting - waiting.length;
  const groups = [
    { name: "running", title: strings.running, tasks: running },
    { name: "waiting", title: strings.waiting, tasks: waiting },
    { name: "ended", title: strings.ended, tasks: ended },
  ];
  const order = groups.flatMap((group) => group.tasks.map((task) => `${group.name} ${task.id}`)).join();
  useMovingRows(body, order);
  return (
    <div ref={body} className="queue-body">
      {order === "" ? <p className="p-4 text-soft">{emptyQueue.empty}</p> : null}
      {groups.map((group) =>
        group.tasks.length === 0 ? null : (
          <section key={group.name} aria-label={group.title}>
            <div className="queue-group">
              <h3>{group.title}</h3>
              {group.name === "waiting" && active.waiting > 1 ? (
                <button
                  type="button"
                  className="btn btn-small btn-quiet"
                  aria-label={strings.cancelAllName}
                  onClick={() => void cancelAll()}
                >
                  {strings.cancelAll}
                </button>
              ) : null}
              {group.name === "ended" && ended.length > 1 ? (
                <button
                  type="button"
                  className="btn btn-small btn-quiet"
                  aria-label={strings.clearEndedName}
                  onClick={() => dismissAllEnded(tasks)}
                >
                  {strings.clearEnded}
                </button>
              ) : null}
            </div>
            {group.tasks.map((task) => (
              <QueueItem
                key={task.id}
                task={task}
                model={models.find((model) => model.id === task.model)?.name ?? task.model}
                stranded={models.some((model) => model.id === task.model && !model.available)}
                current={task.id === chosen}
                actions={actions}
              />
            ))}
            {group.name === "waiting" && further > 0 ? (
              <a className="queue-more num" href="/history?status=pending">
                {strings.more(further)}
              </a>
            ) : null}
          </section>
        ),
      )}
    </div>
  );
}

function byPlace(a: Task, b: Task): number {
  const last = Number.MAX_SAFE_INTEGER;
  return (a.queue_position ?? last) - (b.queue_position ?? last);
}

function useActions(choose: (id: string) => void): QueueActions {
  const navigate = useNavigate();
  const { mutate: cancel } = useCancel();
  const { retry } = useResubmit(choose);
  return useMemo(
    () => ({
      choose,
      cancel,
      retry: (task: Task) => void retry(task),
      edit: (task: Task) => void navigate({ to: "/", search: { use: task.id, as: "settings" } }),
      dismiss: dismissEnded,
    }),
    [choose, cancel, retry, navigate],
  );
}
