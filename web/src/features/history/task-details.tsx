import { Copy } from "lucide-react";
import type { ReactNode } from "react";
import type { Parameter, StudioModel } from "../../api/models.ts";
import type { Task } from "../../api/tasks.ts";
import { noticeWords } from "../../api/words/notice-words.ts";
import { bytesWords } from "../../ui/figures.ts";
import { formatNumber, localize } from "../../ui/language.ts";
import { Link } from "../../ui/router.tsx";
import { absoluteTime, duration } from "../../ui/time.ts";
import { showToast } from "../../ui/toasts.tsx";
import { type RowActions, secondsBetween, TextButton } from "./row-parts.tsx";
import { strings } from "./strings.ts";

interface TaskDetailsProps {
  id: string;
  task: Task;
  model: StudioModel | undefined;
  actions: RowActions;
}

/** Everything that is known about a task, and everything that can be done with it. */
export function TaskDetails({ id, task, model, actions }: TaskDetailsProps) {
  const words = strings.details;
  // Several pictures can have been treated alike: once is enough to say so.
  const notes = new Set(task.warnings.map((warning) => noticeWords(warning, labelOf(model, warning.parameter))));
  // Of what somebody cancelled the server knows no more than the row says; its sentences are English.
  const failure = task.error === null || task.error.code === "cancelled" ? null : task.error.detail;
  return (
    <div id={id} className="history-details">
      {failure === null ? null : (
        <Note title={words.failure}>
          <span lang="en">{failure}</span>
        </Note>
      )}
      {notes.size === 0 ? null : (
        <Note title={words.notes}>
          {[...notes].map((note) => (
            <span key={note} className="block">
              {note}
            </span>
          ))}
        </Note>
      )}
      {task.completed_prompt === null ? null : <Note title={words.drew}>{task.completed_prompt}</Note>}
      {task.negative_prompt === "" ? null : <Note title={words.leftOut}>{task.negative_prompt}</Note>}
      <Facts task={task} />
      <Settings task={task} model={model} />
      <Ways task={task} actions={actions} />
    </div>
  );
}

function Note({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <p className="text-label font-medium text-faint">{title}</p>
      <p dir="auto">{children}</p>
    </div>
  );
}

function Facts({ task }: { task: Task }) {
  const words = strings.details;
  const waited = secondsBetween(task.created_at, task.started_at ?? task.finished_at);
  const ran = secondsBetween(task.started_at, task.finished_at);
  const { frames, fps } = task;
  const facts: [string, string | null][] = [
    [words.submitted, absoluteTime(task.created_at)],
    [words.waited, waited === null ? null : duration(waited)],
    [words.ran, ran === null ? null : duration(ran)],
    [words.ended, task.finished_at === null ? null : absoluteTime(task.finished_at)],
    [words.attempt, task.attempt === 0 ? null : formatNumber(task.attempt)],
    [words.engine, task.engine === "sketch" ? words.sketch : task.engine],
    [words.workspace, task.workspace],
    [words.size, sizeText(task)],
    ["", frames === null || fps === null ? null : words.frames(frames, fps)],
  ];
  return (
    <dl className="history-facts num">
      {facts.map(([name, value]) => (value === null ? null : <Fact key={name} name={name} value={value} />))}
      <CopyFact name={words.seed} value={String(task.seed)} />
      <CopyFact name={words.id} value={task.id} />
    </dl>
  );
}

function sizeText(task: Task): string | null {
  const size = `${task.width} × ${task.height}`;
  return task.result_bytes === null ? size : `${size}, ${bytesWords(task.result_bytes)}`;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function CopyFact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="flex items-center gap-1">
        <span className="mono break-all">{value}</span>
        <button
          type="button"
          className="icon-btn icon-btn-small"
          aria-label={strings.details.copy(name)}
          title={strings.details.copy(name)}
          onClick={() => void copy(value)}
        >
          <Copy className="icon icon-small" aria-hidden="true" />
        </button>
      </dd>
    </div>
  );
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    showToast({ text: strings.details.copied, detail: text });
  } catch {
    showToast({ tone: "error", text: strings.details.copyFailed, detail: text });
  }
}

/** The settings by the names that the catalog gives them; what it no longer knows keeps the name it was sent under. */
function Settings({ task, model }: { task: Task; model: StudioModel | undefined }) {
  const shown = Object.entries(task.parameters).filter(([name]) => !told.has(name));
  if (shown.length === 0) return null;
  return (
    <div>
      <p className="text-label font-medium text-faint">{strings.details.settings}</p>
      <dl className="history-facts num">
        {shown.map(([name, value]) => {
          const parameter = model?.parameters.find((known) => known.name === name);
          return <Fact key={name} name={labelOf(model, name) ?? name} value={valueText(value, parameter)} />;
        })}
      </dl>
    </div>
  );
}

/** Parameters that the row and the facts above tell already. */
const told = new Set(["prompt", "negative_prompt", "seed", "width", "height"]);

function labelOf(model: StudioModel | undefined, name: string | undefined): string | null {
  return localize(model?.parameters.find((parameter) => parameter.name === name)?.label);
}

function valueText(value: unknown, parameter: Parameter | undefined): string {
  if (Array.isArray(value)) return strings.details.pictures(value.length);
  if (typeof value === "number") return formatNumber(value);
  if (parameter?.type === "image") return strings.details.picture;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return localize(parameter?.option_labels?.[text]) ?? text;
}

function Ways({ task, actions }: { task: Task; actions: RowActions }) {
  const ended = task.status === "done" || task.status === "failed";
  return (
    <div className="flex flex-wrap gap-2">
      <TextButton task={task} word={strings.retry} icon onPress={actions.retry} />
      <TextButton task={task} word={strings.vary} onPress={actions.vary} />
      <TextButton task={task} word={strings.useSettings} onPress={actions.use} />
      <Link to="/" search={{ task: task.id }} className="btn btn-small">
        {strings.showInStudio}
      </Link>
      {task.status === "done" ? (
        <Link to="/gallery" search={{ item: task.id }} className="btn btn-small">
          {strings.showInGallery}
        </Link>
      ) : null}
      {ended ? <TextButton task={task} word={strings.remove} quiet onPress={actions.remove} /> : null}
    </div>
  );
}
