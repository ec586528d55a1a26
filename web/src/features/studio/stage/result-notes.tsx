import { Copy, Download, Info, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useModels } from "../../../api/models.ts";
import type { Task } from "../../../api/tasks.ts";
import { localize } from "../../../ui/language.ts";
import { durationText } from "../queue/strings.ts";
import { otherWarnings, secondsTaken, unknownWords } from "../queue/task-words.ts";
import { strings } from "./strings.ts";

interface ResultNotesProps {
  task: Task;
  url: string;
  controls?: ReactNode;
}

/** Under a result: what to do with it, what made it, and what the engine has to say about it. */
export function ResultNotes({ task, url, controls }: ResultNotesProps) {
  const { data: models } = useModels();
  const model = models?.find((candidate) => candidate.id === task.model);
  const mode = model?.modes.find((candidate) => candidate.id === task.mode);
  const taken = secondsTaken(task);
  return (
    <div className="under">
      {controls}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-0.5 text-label text-faint">
        <span className="text-soft">{model?.name ?? task.model}</span>
        {mode ? <span>{localize(mode.label)}</span> : null}
        <span className="num">
          {task.width} × {task.height}
        </span>
        <CopySeed seed={task.seed} />
        {taken === null ? null : (
          <span>
            {strings.madeIn} <span className="num text-soft">{durationText(taken)}</span>
          </span>
        )}
        <a className="btn btn-small ms-auto" href={`${url}?download=1`} download>
          <Download className="icon" aria-hidden="true" />
          {strings.download}
        </a>
      </div>
      <EngineNotes task={task} />
    </div>
  );
}

function CopySeed({ seed }: { seed: number }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(String(seed)).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <button type="button" className="copy-seed" title={strings.copySeed} onClick={copy}>
      {strings.seedOf} <span className="mono text-soft">{seed}</span>
      <Copy className="icon-small" strokeWidth={1.75} aria-hidden="true" />
      <span className="visually-hidden">{strings.copySeed}</span>
      <output className="text-soft">{copied ? strings.seedCopied : ""}</output>
    </button>
  );
}

function EngineNotes({ task }: { task: Task }) {
  const unknown = unknownWords(task);
  const others = otherWarnings(task);
  return (
    <>
      {task.engine === "sketch" ? (
        <div className="honest">
          <Info aria-hidden="true" />
          <p>
            {strings.sketchMade} {unknown.length === 0 ? strings.sketchKnewAll : strings.sketchUnknown}
            {unknown.map((word, index) => (
              <span key={word}>
                {index > 0 ? ", " : ""}
                <q>{word}</q>
              </span>
            ))}
            {task.completed_prompt ? (
              <span className="block" dir="auto">
                {strings.completedPrompt}
                {task.completed_prompt}
              </span>
            ) : null}
          </p>
        </div>
      ) : null}
      {others.length > 0 ? (
        <ul className="grid gap-1" aria-label={strings.warnings}>
          {others.map((warning) => (
            <li key={`${warning.code} ${warning.parameter ?? ""}`} className="honest">
              <TriangleAlert aria-hidden="true" />
              <span>{warning.detail}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}
