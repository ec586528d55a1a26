import type { AdminTask } from "@safelight/contract";
import { ArrowUpToLine, ChevronDown, X } from "lucide-react";
import { percentWords } from "../../../ui/figures.ts";
import { duration } from "../../../ui/time.ts";
import { strings } from "./strings.ts";
import { waitingWords } from "./waiting-words.ts";

export interface TaskRowProps {
  task: AdminTask;
  now: number;
  /** Whether the queue stands: a reason that needs no asking. */
  paused: boolean;
  open: boolean;
  onToggle: (row: string) => void;
  onCancel: (task: AdminTask) => void;
  onFront: (task: AdminTask, front: boolean) => void;
}

/** A task that has not ended: where it runs, or why it waits. */
export function TaskRow(props: TaskRowProps) {
  const { task, now, open } = props;
  const isWaiting = task.status === "pending";
  const whyId = `why-${task.id}`;
  return (
    <>
      <tr>
        <td className="mono text-faint admin-id" title={task.id}>
          {shortId(task.id)}
        </td>
        <td className="admin-prompt">
          {isWaiting ? <Why {...props} controls={whyId} /> : <Prompt task={task} />}
          <span className="admin-sub">{`${task.model} · ${task.mode}`}</span>
        </td>
        <td className="admin-taskstate">
          <Standing task={task} paused={props.paused} />
        </td>
        <td className="admin-right num text-soft admin-for">{duration(ageOf(task, now))}</td>
        <td className="admin-act">
          <Buttons {...props} />
        </td>
      </tr>
      {isWaiting && open ? (
        <tr className="admin-more">
          <td colSpan={5}>
            <Reasons id={whyId} task={task} />
          </td>
        </tr>
      ) : null}
    </>
  );
}

function Prompt({ task }: { task: AdminTask }) {
  return (
    <span className="admin-two" dir="auto">
      {task.prompt}
    </span>
  );
}

function Why({ task, open, onToggle, controls }: TaskRowProps & { controls: string }) {
  return (
    <button
      type="button"
      className="admin-open"
      aria-expanded={open}
      aria-controls={open ? controls : undefined}
      aria-label={strings.showWhy(task.prompt)}
      onClick={() => onToggle(`t.${task.id}`)}
    >
      <Prompt task={task} />
      <ChevronDown className="icon icon-small" aria-hidden="true" />
    </button>
  );
}

function Standing({ task, paused }: { task: AdminTask; paused: boolean }) {
  if (task.status === "pending") {
    const known = task.waiting_reason ?? (paused ? { code: "queue_paused", detail: "" } : null);
    const reason = known === null ? strings.waiting : waitingWords(known);
    return (
      <>
        <span className="state state-waiting">{reason}</span>
        {task.front ? <span className="admin-sub">{strings.first}</span> : null}
      </>
    );
  }
  const where = strings.runningOn(percentWords(task.progress), executorName(task.executor));
  return (
    <span className="state state-running num">
      {task.attempt > 1 ? `${where}, ${strings.attempt(task.attempt)}` : where}
    </span>
  );
}

function Reasons({ id, task }: { id: string; task: AdminTask }) {
  return (
    <div id={id} className="admin-why">
      <h3>{strings.why(shortId(task.id))}</h3>
      {task.waiting.length === 0 ? <p>{strings.whyUnknown}</p> : null}
      <dl>
        {task.waiting.map((reason) => (
          <div key={reason.workspace}>
            <dt className="mono">{executorName(reason.workspace)}</dt>
            <dd>{waitingWords(reason)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Buttons({ task, onCancel, onFront }: TaskRowProps) {
  const id = shortId(task.id);
  const front = task.front ? strings.unfront(id) : strings.front(id);
  return (
    <span className="admin-acts">
      {task.status === "pending" ? (
        <button
          type="button"
          className="icon-btn icon-btn-small"
          aria-label={front}
          title={front}
          aria-pressed={task.front}
          onClick={() => onFront(task, !task.front)}
        >
          <ArrowUpToLine className="icon" aria-hidden="true" />
        </button>
      ) : null}
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={strings.cancel(id)}
        title={strings.cancel(id)}
        onClick={() => onCancel(task)}
      >
        <X className="icon" aria-hidden="true" />
      </button>
    </span>
  );
}

/** "0195…9f11": ids of tasks of one day begin alike. */
export function shortId(id: string): string {
  return id.length <= 10 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`;
}

export function executorName(executor: string | null): string {
  return executor === null || executor === "embedded" ? strings.embedded : executor;
}

/** Seconds it has run, or waited. */
function ageOf({ started_at, created_at, status }: AdminTask, now: number): number {
  const since = status === "processing" ? (started_at ?? created_at) : created_at;
  return Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
}
