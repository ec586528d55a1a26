import { CircleSlash, FileX, TriangleAlert } from "lucide-react";
import { type CSSProperties, type KeyboardEvent, memo, useEffect, useRef, useState } from "react";
import type { Task } from "../../../api/tasks.ts";
import { percentWords } from "../../../ui/figures.ts";
import { Still } from "../../../ui/still.tsx";
import { clockTime, duration } from "../../../ui/time.ts";
import { isPixelated } from "../../../ui/viewer/pixelated.ts";
import { DevelopingImage } from "./developing-image.tsx";
import { strings } from "./result-strings.ts";
import { clipSeconds, isCancelled, sizeOf } from "./task-facts.ts";

interface StripProps {
  tasks: readonly Task[];
  chosen: string | null;
  onChoose: (id: string) => void;
}

/**
 * The latest tasks, newest first, as a strip of contact prints: one stop for Tab, arrows inside. Cancelled ones have nothing
 * to show and may be hundreds: the history keeps them, here stands only the one on the stage.
 */
export function Strip({ tasks: latest, chosen, onChoose }: StripProps) {
  const tasks = latest.filter((task) => task.id === chosen || !isCancelled(task));
  const strip = useRef<HTMLElement>(null);
  const [focused, setFocused] = useState<string | null>(null);
  useEffect(() => {
    const item = strip.current?.querySelector<HTMLElement>("[aria-current=true]");
    // Sideways only: the page itself must not jump.
    if (item && strip.current) bringIntoView(strip.current, item);
  }, [chosen]);
  const ids = tasks.map((task) => task.id);
  const entry = [focused, chosen].find((id) => id !== null && ids.includes(id)) ?? ids[0];
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the buttons inside have the focus
    <section ref={strip} className="strip" aria-label={strings.latest} onKeyDown={moveAlong}>
      {tasks.map((task) => (
        <StripItem
          key={task.id}
          task={task}
          current={task.id === chosen}
          entry={task.id === entry}
          onChoose={onChoose}
          onFocus={setFocused}
        />
      ))}
    </section>
  );
}

function moveAlong(event: KeyboardEvent<HTMLElement>): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>(".strip-item")];
  const here = items.indexOf(document.activeElement as HTMLElement);
  const places: Readonly<Record<string, number>> = {
    ArrowLeft: here - 1,
    ArrowRight: here + 1,
    Home: 0,
    End: items.length - 1,
  };
  const to = places[event.key];
  if (to === undefined || here < 0) return;
  event.preventDefault();
  items[Math.max(0, Math.min(items.length - 1, to))]?.focus();
}

function bringIntoView(strip: HTMLElement, item: HTMLElement): void {
  const margin = item.offsetHeight;
  const start = item.offsetLeft - strip.offsetLeft - margin;
  const end = item.offsetLeft - strip.offsetLeft + item.offsetWidth + margin - strip.clientWidth;
  if (start < strip.scrollLeft) strip.scrollLeft = start;
  else if (end > strip.scrollLeft) strip.scrollLeft = end;
}

interface StripItemProps {
  task: Task;
  current: boolean;
  /** The one that Tab reaches. */
  entry: boolean;
  onChoose: (id: string) => void;
  onFocus: (id: string) => void;
}

const StripItem = memo(function StripItem({ task, current, entry, onChoose, onFocus }: StripItemProps) {
  const { width, height } = sizeOf(task);
  return (
    <button
      type="button"
      className="strip-item"
      aria-current={current}
      tabIndex={entry ? 0 : -1}
      title={task.prompt}
      style={{ "--ratio": width / height } as CSSProperties}
      onClick={() => onChoose(task.id)}
      onFocus={() => onFocus(task.id)}
    >
      <span className="strip-print">
        <Print task={task} />
      </span>
      <Length task={task} />
      <span className="visually-hidden">{nameOf(task)}, </span>
      <span className="num">{caption(task)}</span>
    </button>
  );
});

function Print({ task }: { task: Task }) {
  const rendering = isPixelated(task.engine) ? "pixelated" : "";
  if (task.status === "failed" || task.result_missing) {
    const Mark = task.status === "done" ? FileX : isCancelled(task) ? CircleSlash : TriangleAlert;
    return <Mark className="icon" aria-hidden="true" />;
  }
  if (task.status !== "done") {
    if (task.preview_url === null) return <b className="num">{task.queue_position}</b>;
    return <DevelopingImage src={task.preview_url} alt="" className={`viewer-media ${rendering}`} />;
  }
  const picture = task.thumbnail_url ?? task.preview_url;
  return picture === null ? null : (
    <Still src={picture} alt="" loading="lazy" decoding="async" className={`viewer-media ${rendering}`} />
  );
}

function Length({ task }: { task: Task }) {
  const seconds = task.status === "done" && !task.result_missing ? clipSeconds(task) : null;
  if (seconds === null) return null;
  return <span className="strip-length">{duration(Math.round(seconds))}</span>;
}

function nameOf(task: Task): string {
  const { prompt } = task;
  switch (task.status) {
    case "pending":
      return strings.inStrip.waiting(prompt);
    case "processing":
      return strings.inStrip.running(prompt);
    case "failed":
      return isCancelled(task) ? strings.inStrip.cancelled(prompt) : strings.inStrip.failed(prompt);
    case "done":
      return task.type === "video" ? strings.inStrip.video(prompt) : strings.inStrip.image(prompt);
  }
}

function caption(task: Task): string {
  if (task.status === "pending") return strings.waits;
  if (task.status === "processing") return percentWords(task.progress);
  return clockTime(task.finished_at ?? task.created_at);
}
