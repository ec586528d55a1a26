import type { AdminTask, QueueState } from "@safelight/contract";
import { Pause, Play } from "lucide-react";
import { formatNumber } from "../../../ui/language.ts";
import { absoluteTime, useNow } from "../../../ui/time.ts";
import { type QueueNow, useQueue } from "../data/queue.ts";
import { Loaded } from "../loaded.tsx";
import { ScrollBox } from "../scroll-box.tsx";
import { SectionHead } from "../section-head.tsx";
import { type Column, TableHead } from "../table-head.tsx";
import type { View } from "../use-view.ts";
import { strings } from "./strings.ts";
import { TaskRow } from "./task-row.tsx";
import { useTaskActions } from "./use-task-actions.ts";

const tick = 1_000;

/** What runs and what waits, of every client, and the tap of the queue. */
export function QueueSection({ view }: { view: View }) {
  const query = useQueue();
  const queue = query.data?.state;
  const actions = useTaskActions();
  return (
    <section id="queue" aria-labelledby="queue-title" className="admin-section">
      <SectionHead id="queue-title" title={strings.title} note={queue === undefined ? null : noteOf(queue)}>
        {queue === undefined ? null : (
          <button
            type="button"
            className={`btn btn-small ${queue.paused ? "" : "btn-quiet"}`}
            onClick={queue.paused ? actions.resume : actions.pause}
          >
            {queue.paused ? (
              <Play className="icon" aria-hidden="true" />
            ) : (
              <Pause className="icon" aria-hidden="true" />
            )}
            {queue.paused ? strings.resume : strings.pause}
          </button>
        )}
      </SectionHead>
      {queue?.paused ? (
        <output className="admin-paused">
          <Pause className="icon" aria-hidden="true" />
          <span>{pausedText(queue)}</span>
        </output>
      ) : null}
      <Loaded query={query} loading={strings.loading} failed={strings.failed}>
        {(now) => <QueueTable queue={now} view={view} actions={actions} />}
      </Loaded>
    </section>
  );
}

function noteOf({ processing, pending, limit }: QueueState): string {
  const counts = strings.counts(formatNumber(processing), formatNumber(pending));
  return `${counts}, ${strings.room(Math.max(0, limit - pending))}`;
}

function pausedText({ paused_at, paused_by }: QueueState): string {
  if (paused_at === null) return strings.pausedPlain;
  return strings.paused(absoluteTime(paused_at), paused_by ?? strings.byAdmin);
}

function taskColumns(): readonly Column[] {
  const { columns } = strings;
  return [
    { name: columns.task },
    { name: columns.prompt },
    { name: columns.state },
    { name: columns.time, className: "admin-right" },
    { name: columns.actions, isSilent: true },
  ];
}

interface QueueTableProps {
  queue: QueueNow;
  view: View;
  actions: ReturnType<typeof useTaskActions>;
}

function QueueTable({ queue: { state, running, waiting }, view, actions }: QueueTableProps) {
  const now = useNow(tick);
  const tasks: readonly AdminTask[] = [...running, ...waiting];
  if (tasks.length === 0) return <p className="admin-nothing">{strings.empty}</p>;
  return (
    <ScrollBox label={strings.table}>
      <table className="admin-table admin-queue">
        <TableHead columns={taskColumns()} />
        <tbody>
          {tasks.map((task) => (
            <TaskRow
              key={task.id}
              task={task}
              now={now}
              paused={state.paused}
              open={view.isOpen(`t.${task.id}`)}
              onToggle={view.toggle}
              onCancel={actions.cancel}
              onFront={actions.front}
            />
          ))}
        </tbody>
      </table>
      {state.pending > waiting.length ? (
        <p className="text-label text-faint mt-2">{strings.further(state.pending - waiting.length)}</p>
      ) : null}
    </ScrollBox>
  );
}
