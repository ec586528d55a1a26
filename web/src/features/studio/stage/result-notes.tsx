import { Copy, Info, TriangleAlert } from "lucide-react";
import type { StudioModel } from "../../../api/models.ts";
import type { Task } from "../../../api/tasks.ts";
import { noticeWords } from "../../../api/words/notice-words.ts";
import { localize } from "../../../ui/language.ts";
import { durationText } from "../../../ui/task-words.ts";
import { isPixelated } from "../../../ui/viewer/pixelated.ts";
import { sizeText, strings } from "./result-strings.ts";
import { clipSeconds, otherWarnings, secondsTaken, unknownWords } from "./task-facts.ts";
import { useCopySeed } from "./use-result-actions.ts";

/** Under a result: what made it, and what the engine has to say about it. */
export function ResultNotes({ task, model }: { task: Task; model: StudioModel | undefined }) {
  const mode = model?.modes.find((candidate) => candidate.id === task.mode);
  const taken = secondsTaken(task);
  const length = clipSeconds(task);
  return (
    <>
      <div className="stage-facts">
        <b>{model?.name ?? task.model}</b>
        {mode ? <span>{localize(mode.label)}</span> : null}
        <span className="num">{sizeText(task.width, task.height)}</span>
        {length === null ? null : <span className="num">{durationText(length)}</span>}
        <CopySeed seed={task.seed} />
        {taken === null ? null : (
          <span>
            {strings.madeIn} <b className="num">{durationText(taken)}</b>
          </span>
        )}
      </div>
      {isPixelated(task.engine) ? <SketchNote task={task} /> : null}
      <Warnings task={task} model={model} />
    </>
  );
}

function CopySeed({ seed }: { seed: number }) {
  return (
    <button type="button" className="copy-seed" title={`${strings.copySeed} (C)`} onClick={useCopySeed(seed)}>
      {strings.seed} <b className="mono">{seed}</b>
      <Copy className="icon-small" strokeWidth={1.75} aria-hidden="true" />
      <span className="visually-hidden">{strings.copySeed}</span>
    </button>
  );
}

/** The same words wherever the miniature made something. */
function SketchNote({ task }: { task: Task }) {
  const unknown = unknownWords(task);
  // Said only where it differs from what stands above the picture.
  const drawn = task.completed_prompt === task.prompt ? null : task.completed_prompt;
  return (
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
        {drawn !== null ? (
          <span className="block">
            {strings.completedPrompt}
            <span lang="en">{drawn}</span>
          </span>
        ) : null}
      </p>
    </div>
  );
}

function Warnings({ task, model }: { task: Task; model: StudioModel | undefined }) {
  const warnings = otherWarnings(task);
  if (warnings.length === 0) return null;
  const labelOf = (name: string | undefined) =>
    localize(model?.parameters.find((parameter) => parameter.name === name)?.label);
  // Several pictures can have been treated alike: once is enough to say so.
  const said = new Set(warnings.map((warning) => noticeWords(warning, labelOf(warning.parameter))));
  return (
    <ul className="grid gap-1" aria-label={strings.notes}>
      {[...said].map((words) => (
        <li key={words} className="honest">
          <TriangleAlert aria-hidden="true" />
          <span>{words}</span>
        </li>
      ))}
    </ul>
  );
}
