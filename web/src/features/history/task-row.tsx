import { Ban, ChevronDown, Clock, Download, FileX, Trash2, TriangleAlert } from "lucide-react";
import { memo, useId } from "react";
import type { StudioModel } from "../../api/models.ts";
import type { Task } from "../../api/tasks.ts";
import { waitingReasonWords } from "../../api/words/waiting-words.ts";
import { localize } from "../../ui/language.ts";
import { Still } from "../../ui/still.tsx";
import { attemptText, failureWords, outlookText, percentText, progressWords } from "../../ui/task-words.ts";
import { absoluteTime, clockTime, duration } from "../../ui/time.ts";
import { type RowActions, secondsBetween, TextButton } from "./row-parts.tsx";
import { strings } from "./strings.ts";
import { TaskDetails } from "./task-details.tsx";

interface TaskRowProps {
  task: Task;
  model: StudioModel | undefined;
  open: boolean;
  /** The same object as long as the list is mounted. */
  actions: RowActions;
}

/** One task: what was asked for, how it stands or ended and why, when, and what can be done about it. */
export const TaskRow = memo(function TaskRow({ task, model, open, actions }: TaskRowProps) {
  const details = useId();
  const mode = model?.modes.find((known) => known.id === task.mode);
  return (
    <article className="history-item" aria-label={task.prompt}>
      <RowPicture task={task} />
      <div className="history-what">
        <button
          type="button"
          className="history-open"
          aria-expanded={open}
          aria-controls={open ? details : undefined}
          onClick={() => actions.toggle(task.id)}
        >
          <span className="line-clamp-2" dir="auto">
            {task.prompt}
          </span>
          <ChevronDown className="icon icon-small" aria-hidden="true" />
        </button>
        <p className="text-label text-faint">
          {[model?.name ?? task.model, mode ? localize(mode.label) : task.mode].join(" · ")}
        </p>
      </div>
      <Standing task={task} stranded={model !== undefined && !model.available} />
      <time className="history-when num" dateTime={task.created_at} title={absoluteTime(task.created_at)}>
        {clockTime(task.created_at)}
      </time>
      <Buttons task={task} actions={actions} />
      {open ? <TaskDetails id={details} task={task} model={model} actions={actions} /> : null}
    </article>
  );
});

function RowPicture({ task }: { task: Task }) {
  const url = task.status === "done" ? (task.thumbnail_url ?? task.preview_url) : task.preview_url;
  if (url !== null && task.status !== "failed" && !task.result_missing) {
    const rendering = task.engine === "sketch" ? "pixelated" : "";
    return <Still className={`history-picture ${rendering}`} src={url} alt="" loading="lazy" />;
  }
  return (
    <span className="history-picture history-blank">
      <RowMark task={task} />
    </span>
  );
}

function RowMark({ task }: { task: Task }) {
  const look = { className: "icon", "aria-hidden": true };
  if (task.result_missing) return <FileX {...look} />;
  if (task.status !== "failed") return <Clock {...look} />;
  return task.error?.code === "cancelled" ? <Ban {...look} /> : <TriangleAlert {...look} />;
}

interface Words {
  /** Shape and colour of the mark before the word. */
  mark: "running" | "waiting" | "ready" | "failed" | "off";
  word: string;
  reason: string | null;
  code: string | null;
}

function wordsOf(task: Task, stranded: boolean): Words {
  const outlook = task.eta_seconds === null ? null : outlookText(task.status, task.eta_seconds);
  switch (task.status) {
    case "pending":
      return { mark: "waiting", word: progressWords(task), reason: waitsFor(task, stranded) ?? outlook, code: null };
    case "processing": {
      const word = strings.percentAnd(percentText(task.progress), progressWords(task).toLocaleLowerCase());
      const reason = [attemptText(task.attempt), outlook].filter(Boolean).join(" ");
      return { mark: "running", word, reason: reason === "" ? null : reason, code: null };
    }
    case "done": {
      if (task.result_missing) {
        return { mark: "off", word: strings.fileGone, reason: strings.fileGoneText, code: "result_gone" };
      }
      const taken = secondsBetween(task.started_at, task.finished_at);
      return {
        mark: "ready",
        word: strings.done,
        reason: taken === null ? null : strings.doneIn(duration(taken)),
        code: null,
      };
    }
    case "failed": {
      const code = task.error?.code ?? null;
      const { title, advice } = failureWords(code);
      return { mark: code === "cancelled" ? "off" : "failed", word: title, reason: advice, code };
    }
  }
}

function waitsFor(task: Task, stranded: boolean): string | null {
  return waitingReasonWords(task.waiting_reason) ?? (stranded ? strings.nobody : null);
}

function Standing({ task, stranded }: { task: Task; stranded: boolean }) {
  const { mark, word, reason, code } = wordsOf(task, stranded);
  return (
    <div className="history-standing num">
      <span className={`state state-${mark} font-medium`}>{word}</span>
      {reason === null && code === null ? null : (
        <p className="text-label text-soft">
          {reason} {code === null ? null : <span className="mono text-faint">{code}</span>}
        </p>
      )}
      {task.status === "processing" ? (
        <div className="bar" aria-hidden="true">
          <i style={{ width: `${task.progress}%` }} />
        </div>
      ) : null}
    </div>
  );
}

function Buttons({ task, actions }: { task: Task; actions: RowActions }) {
  if (task.status === "pending" || task.status === "processing") {
    const stopping = task.stage === "cancelling";
    const word = stopping ? strings.cancelling : strings.cancel;
    return (
      <div className="history-buttons">
        <button
          type="button"
          className="btn btn-small"
          aria-label={strings.about(word, task.prompt)}
          aria-disabled={stopping || undefined}
          onClick={() => {
            if (!stopping) actions.cancel(task.id);
          }}
        >
          {word}
        </button>
      </div>
    );
  }
  if (task.status === "done" && !task.result_missing) return <DoneButtons task={task} actions={actions} />;
  return (
    <div className="history-buttons">
      <TextButton task={task} word={strings.retry} icon onPress={actions.retry} />
      <TextButton task={task} word={strings.edit} quiet onPress={actions.use} />
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={strings.about(strings.remove, task.prompt)}
        title={strings.remove}
        onClick={() => actions.remove(task)}
      >
        <Trash2 className="icon" aria-hidden="true" />
      </button>
    </div>
  );
}

function DoneButtons({ task, actions }: { task: Task; actions: RowActions }) {
  return (
    <div className="history-buttons">
      <TextButton task={task} word={strings.useSettings} quiet onPress={actions.use} />
      {task.result_url === null ? null : (
        <a
          className="icon-btn icon-btn-small"
          href={withDownload(task.result_url)}
          aria-label={strings.about(strings.download, task.prompt)}
          title={strings.download}
          download
        >
          <Download className="icon" aria-hidden="true" />
        </a>
      )}
    </div>
  );
}

function withDownload(url: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}download=1`;
}
