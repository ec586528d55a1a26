import { RotateCcw, X } from "lucide-react";
import { memo } from "react";
import type { Task } from "../../../api/tasks.ts";
import { waitingReasonWords } from "../../../api/words/waiting-words.ts";
import { percentWords } from "../../../ui/figures.ts";
import { attemptText, durationText, failureWords, outlookText, progressWords } from "../../../ui/task-words.ts";
import { strings } from "./list-strings.ts";
import { isActive, secondsTaken } from "./task-words.ts";
import { Thumbnail } from "./thumbnail.tsx";

export interface QueueActions {
  choose: (id: string) => void;
  cancel: (id: string) => void;
  retry: (task: Task) => void;
  edit: (task: Task) => void;
  dismiss: (id: string) => void;
}

interface QueueItemProps {
  task: Task;
  /** As people call the model. */
  model: string;
  /** Nothing here can run the task's model now. */
  stranded: boolean;
  current: boolean;
  /** The same object as long as the queue is mounted. */
  actions: QueueActions;
}

/** One task of the queue: its picture, where it stands, and what can be done about it. */
export const QueueItem = memo(function QueueItem({ task, model, stranded, current, actions }: QueueItemProps) {
  return (
    <article className="queue-item" data-row={task.id}>
      <button type="button" className="queue-show" aria-current={current} onClick={() => actions.choose(task.id)}>
        <Thumbnail task={task} />
        <span className="min-w-0">
          <span className="line-clamp-2 leading-[1.125rem]" dir="auto">
            {task.prompt}
          </span>
          <Meta task={task} model={model} />
        </span>
      </button>
      <Away task={task} actions={actions} />
      {task.status === "processing" ? (
        <div className="bar" aria-hidden="true">
          <i style={{ width: `${task.progress}%` }} />
        </div>
      ) : null}
      <Why task={task} stranded={stranded} />
      {task.status === "failed" ? (
        <div className="queue-again">
          <button
            type="button"
            className="btn btn-small"
            aria-label={strings.retryName(task.prompt)}
            onClick={() => actions.retry(task)}
          >
            <RotateCcw className="icon icon-small" aria-hidden="true" />
            {strings.retry}
          </button>
          <button
            type="button"
            className="btn btn-small btn-quiet"
            aria-label={strings.editName(task.prompt)}
            onClick={() => actions.edit(task)}
          >
            {strings.edit}
          </button>
        </div>
      ) : null}
    </article>
  );
});

/** The cross in the corner: stops what is under way, takes off the list what has ended. */
function Away({ task, actions }: { task: Task; actions: QueueActions }) {
  const active = isActive(task);
  const stopping = task.stage === "cancelling";
  const name = active
    ? (stopping ? strings.cancelling : strings.cancelTask)(task.prompt)
    : strings.dismiss(task.prompt);
  return (
    <button
      type="button"
      className="icon-btn icon-btn-small"
      aria-label={name}
      title={active ? strings.cancel : strings.dismissTitle}
      aria-disabled={stopping || undefined}
      onClick={() => {
        if (stopping) return;
        if (active) actions.cancel(task.id);
        else actions.dismiss(task.id);
      }}
    >
      <X className="icon" aria-hidden="true" />
    </button>
  );
}

function Meta({ task, model }: { task: Task; model: string }) {
  if (task.status === "failed") {
    const { title } = failureWords(task.error?.code ?? null);
    return <span className={`block text-label ${isCancelled(task) ? "text-faint" : "text-danger"}`}>{title}</span>;
  }
  const parts = metaParts(task, model);
  if (parts.length === 0) return null;
  return (
    <span className="num flex flex-wrap gap-x-2 text-label text-faint">
      {task.status === "processing" ? <b className="font-medium text-text">{percentWords(task.progress)}</b> : null}
      {parts.map((part) => (
        <span key={part}>{part}</span>
      ))}
    </span>
  );
}

function metaParts(task: Task, model: string): string[] {
  const outlook = task.eta_seconds === null ? [] : [outlookText(task.status, task.eta_seconds)];
  switch (task.status) {
    case "pending":
      return [model, ...(task.stage === "cancelling" ? [progressWords(task)] : outlook)];
    case "processing":
      return [progressWords(task), ...outlook];
    case "done": {
      const taken = secondsTaken(task);
      if (task.result_missing) return [strings.fileGone];
      return [taken === null ? strings.done : strings.doneIn(durationText(taken))];
    }
    case "failed":
      return [];
  }
}

function isCancelled(task: Task): boolean {
  return task.error?.code === "cancelled";
}

/** Why it is not further: lost tries, nobody to run it, or what to do about a failure. */
function Why({ task, stranded }: { task: Task; stranded: boolean }) {
  if (task.status === "failed") {
    const { advice } = failureWords(task.error?.code ?? null);
    return isCancelled(task) ? null : <p className="queue-why text-soft">{advice}</p>;
  }
  const words = task.status === "pending" ? waitsFor(task, stranded) : attemptText(task.attempt);
  return words === null || task.status === "done" ? null : <p className="queue-why hint">{words}</p>;
}

function waitsFor(task: Task, stranded: boolean): string | null {
  if (task.stage === "cancelling") return null;
  return waitingReasonWords(task.waiting_reason) ?? (stranded ? strings.nobody : null);
}
