import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useMemo, useState } from "react";
import type { StudioModel } from "../../api/models.ts";
import type { Task } from "../../api/tasks.ts";
import { dayTitle } from "../../ui/time.ts";
import { strings } from "./strings.ts";
import { TaskRow } from "./task-row.tsx";
import { useRowActions } from "./use-row-actions.ts";

interface HistoryListProps {
  /** What scrolls. */
  scroller: RefObject<HTMLElement | null>;
  tasks: readonly Task[];
  models: readonly StudioModel[];
  hasMore: boolean;
  loadingMore: boolean;
  moreFailed: boolean;
  onMore: () => void;
}

type Line = { kind: "day"; key: string; title: string } | { kind: "task"; key: string; task: Task };

/** Lines drawn beyond the edges of the window. */
const overscan = 6;
/** The next page is asked for when this few lines are left below. */
const ahead = 10;
const heights = { day: 44, task: 70 };

/** The rows in days. However many tasks are known, only those in sight are in the document. */
export function HistoryList(props: HistoryListProps) {
  const { scroller, tasks, models, hasMore, loadingMore, moreFailed, onMore } = props;
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback((id: string) => setOpen((known) => toggled(known, id)), []);
  const actions = useRowActions(toggle);
  const lines = useMemo(() => linesOf(tasks), [tasks]);
  // oxlint-disable-next-line react/incompatible-library -- nothing of it is remembered from one drawing to the next
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => heights[lines[index]?.kind ?? "task"],
    getItemKey: (index) => lines[index]?.key ?? index,
    overscan,
  });
  const rows = virtualizer.getVirtualItems();
  const lastShown = rows.at(-1)?.index ?? 0;
  const wanted = hasMore && !loadingMore && !moreFailed && lastShown >= lines.length - ahead;
  useEffect(() => {
    if (wanted) onMore();
  }, [wanted, onMore]);
  return (
    <section aria-label={strings.tasks}>
      <div className="relative" style={{ height: virtualizer.getTotalSize() }}>
        <div className="absolute inset-x-0 top-0" style={{ transform: `translateY(${rows[0]?.start ?? 0}px)` }}>
          {rows.map(({ index, key }) => (
            <div key={key} ref={virtualizer.measureElement} data-index={index}>
              <HistoryLine line={lines[index]} models={models} open={open} actions={actions} />
            </div>
          ))}
        </div>
      </div>
      <output className="block py-6 text-center text-label text-faint">
        {moreFailed ? strings.moreFailed : hasMore ? strings.loadingMore : strings.end}{" "}
        {moreFailed ? (
          <button type="button" className="btn btn-small" onClick={onMore}>
            {strings.tryAgain}
          </button>
        ) : null}
      </output>
    </section>
  );
}

interface HistoryLineProps {
  line: Line | undefined;
  models: readonly StudioModel[];
  open: ReadonlySet<string>;
  actions: ReturnType<typeof useRowActions>;
}

function HistoryLine({ line, models, open, actions }: HistoryLineProps) {
  if (line === undefined) return null;
  if (line.kind === "day") return <h2 className="history-day">{line.title}</h2>;
  const { task } = line;
  const model = models.find((known) => known.id === task.model);
  return <TaskRow task={task} model={model} open={open.has(task.id)} actions={actions} />;
}

/** The tasks with a heading before each day. */
export function linesOf(tasks: readonly Task[], now: number = Date.now()): Line[] {
  const lines: Line[] = [];
  let day = "";
  for (const task of tasks) {
    const next = new Date(task.created_at).toDateString();
    if (next !== day) {
      const { name, date } = dayTitle(task.created_at, now);
      lines.push({ kind: "day", key: `day ${next}`, title: name ?? date });
      day = next;
    }
    lines.push({ kind: "task", key: task.id, task });
  }
  return lines;
}

function toggled(known: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(known);
  if (!next.delete(id)) next.add(id);
  return next;
}
