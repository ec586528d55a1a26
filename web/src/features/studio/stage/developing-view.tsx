import { type Task, useWaitingOutlook } from "../../../api/tasks.ts";
import { durationText } from "../queue/strings.ts";
import { progressWords } from "../queue/task-words.ts";
import { renderingOf } from "../queue/thumbnail.tsx";
import { useCancel } from "../queue/use-cancel.ts";
import { DevelopingImage } from "./developing-image.tsx";
import { Easel } from "./easel.tsx";
import { StepBar } from "./step-bar.tsx";
import { strings } from "./strings.ts";

/** Progress is spoken in quarters: every step would drown out everything else. */
function spokenProgress(task: Task): string {
  return task.status === "pending" ? progressWords(task) : strings.percent(Math.floor(task.progress / 25) * 25);
}

/** A task on its way: the newest step preview, the stage, how far it is, how long it will take, and the way out. */
export function DevelopingView({ task }: { task: Task }) {
  useWaitingOutlook(task);
  const cancel = useCancel();
  const stopping = cancel.isPending || task.stage === "cancelling";
  return (
    <>
      <Easel task={task}>
        {task.preview_url ? (
          <DevelopingImage
            src={task.preview_url}
            alt={strings.previewOf(task.prompt)}
            className={renderingOf(task.engine)}
          />
        ) : (
          <div className="absolute inset-0 bg-panel" />
        )}
      </Easel>
      <div className="under">
        <StepBar task={task} />
        <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
          <span className="num min-w-13 text-title font-semibold">{strings.percent(task.progress)}</span>
          <span>{progressWords(task)}</span>
          {task.eta_seconds === null ? null : (
            <span className="num text-soft">{strings.left(durationText(task.eta_seconds))}</span>
          )}
          <button
            type="button"
            className="btn btn-small ms-auto self-center"
            aria-disabled={stopping || undefined}
            onClick={() => {
              if (!stopping) cancel.mutate(task.id);
            }}
          >
            {stopping ? strings.cancelling : strings.cancel}
          </button>
        </div>
        <output className="visually-hidden">{spokenProgress(task)}</output>
        {task.attempt > 1 ? <p className="hint">{strings.attempt(task.attempt)}</p> : null}
      </div>
    </>
  );
}
