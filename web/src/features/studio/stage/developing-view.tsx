import type { ReactNode } from "react";
import { useModels } from "../../../api/models.ts";
import { type Task, useWaitingOutlook } from "../../../api/tasks.ts";
import { unavailableWords } from "../../../api/words/notice-words.ts";
import { waitingReasonWords } from "../../../api/words/waiting-words.ts";
import { attemptText, outlookText, percentText, progressWords } from "../../../ui/task-words.ts";
import { clockTime } from "../../../ui/time.ts";
import { isPixelated } from "../../../ui/viewer/pixelated.ts";
import { ViewerFrame } from "../../../ui/viewer/viewer-frame.tsx";
import { useCancel } from "../queue/use-cancel.ts";
import { DevelopingImage } from "./developing-image.tsx";
import { strings } from "./result-strings.ts";
import { StepBar } from "./step-bar.tsx";
import { sizeOf } from "./task-facts.ts";

/** Progress is spoken in quarters: every step would drown out everything else. */
function spokenProgress(task: Task): string {
  return task.status === "pending" ? progressWords(task) : percentText(Math.floor(task.progress / 25) * 25);
}

/** A task on its way: the newest step preview, the stage, how far it is, how long it will take, and the way out. */
export function DevelopingView({ task, title }: { task: Task; title: ReactNode }) {
  useWaitingOutlook(task);
  const rendering = isPixelated(task.engine) ? "pixelated" : "";
  return (
    <ViewerFrame size={sizeOf(task)} toolbar={title} under={<Progress task={task} />}>
      {task.preview_url ? (
        <DevelopingImage
          src={task.preview_url}
          alt={strings.previewOf(task.prompt)}
          className={`viewer-media ${rendering}`}
        />
      ) : (
        <div className="stage-unexposed" />
      )}
    </ViewerFrame>
  );
}

function Progress({ task }: { task: Task }) {
  const cancel = useCancel();
  const stopping = cancel.isPending || task.stage === "cancelling";
  const again = attemptText(task.attempt);
  return (
    <div className="viewer-under">
      <StepBar task={task} />
      <div className="stage-progress">
        {task.status === "processing" ? <span className="stage-percent num">{percentText(task.progress)}</span> : null}
        <span>{progressWords(task)}</span>
        {task.eta_seconds === null ? null : (
          <span className="num text-soft">{outlookText(task.status, task.eta_seconds)}</span>
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
      {task.status === "pending" ? <WhyWaiting task={task} /> : <RunFacts task={task} />}
      {again === null ? null : <p className="hint">{again}</p>}
    </div>
  );
}

/** Why it does not run yet: what hinders it, that nothing can run it at all, or what is before it. */
function WhyWaiting({ task }: { task: Task }) {
  const { data: models } = useModels();
  const model = models?.find((candidate) => candidate.id === task.model);
  const before = (task.queue_position ?? 1) - 1;
  // That everything is busy is what its place says already.
  const hindrance = task.waiting_reason?.code === "busy" ? null : waitingReasonWords(task.waiting_reason);
  if (hindrance !== null) return <p className="hint">{hindrance}</p>;
  if (model !== undefined && !model.available) {
    return <p className="hint">{strings.cannotRun(unavailableWords(model.unavailable_reason))}</p>;
  }
  return <p className="hint">{before > 0 ? strings.waitsBehind(before) : strings.startsNext}</p>;
}

function RunFacts({ task }: { task: Task }) {
  return (
    <p className="stage-facts">
      {task.started_at === null ? null : (
        <span>
          {strings.started} <b className="num">{clockTime(task.started_at)}</b>
        </span>
      )}
      {task.engine === null ? null : (
        <span>
          {strings.on} <b>{isPixelated(task.engine) ? strings.sketchHere : task.engine}</b>
        </span>
      )}
      <span>
        {strings.seed} <b className="mono">{task.seed}</b>
      </span>
      {task.preview_url === null ? null : <span>{strings.newestStep}</span>}
    </p>
  );
}
