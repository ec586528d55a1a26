import { Aperture, CircleSlash, TriangleAlert } from "lucide-react";
import type { Task } from "../../../api/tasks.ts";
import { ProblemNote } from "../../../ui/problem-note.tsx";
import { failureTitle } from "../queue/task-words.ts";
import { ClipView } from "./clip-view.tsx";
import { DevelopingView } from "./developing-view.tsx";
import { PictureView } from "./picture-view.tsx";
import { ResultGone } from "./result-gone.tsx";
import { strings } from "./strings.ts";

interface StageProps {
  task: Task | null;
  loading: boolean;
  onExample: (prompt: string) => void;
}

/** The picture and what is under it: the task that was chosen, in whatever state it is. */
export function Stage({ task, loading, onExample }: StageProps) {
  return (
    <>
      <div className="flex min-h-11 items-center gap-2 px-4 py-1 text-soft">
        <h2 className="min-w-0 truncate text-ui font-normal" dir="auto" title={task?.prompt}>
          {task?.prompt}
        </h2>
      </div>
      {task ? <TaskView key={task.id} task={task} /> : <EmptyStage loading={loading} onExample={onExample} />}
    </>
  );
}

function TaskView({ task }: { task: Task }) {
  switch (task.status) {
    case "pending":
    case "processing":
      return <DevelopingView task={task} />;
    case "failed":
      return <FailedView task={task} />;
    case "done":
      if (task.result_missing || task.result_url === null) return <ResultGone />;
      return task.type === "video" ? (
        <ClipView task={task} url={task.result_url} />
      ) : (
        <PictureView task={task} url={task.result_url} />
      );
  }
}

function FailedView({ task }: { task: Task }) {
  const code = task.error?.code ?? null;
  return (
    <div className="grid place-content-center">
      <ProblemNote
        icon={code === "cancelled" ? CircleSlash : TriangleAlert}
        title={failureTitle(code)}
        action={[task.error_msg, task.error?.user_action].filter(Boolean).join(" ")}
        code={code}
      />
    </div>
  );
}

function EmptyStage({ loading, onExample }: { loading: boolean; onExample: (prompt: string) => void }) {
  if (loading) {
    return (
      <output className="grid place-items-center p-8" aria-busy="true" aria-label={strings.loading}>
        <div className="ghost aspect-square w-[min(60%,20rem)]" />
      </output>
    );
  }
  return (
    <div className="grid place-content-center">
      <div className="blank">
        <Aperture aria-hidden="true" />
        <h3>{strings.emptyTitle}</h3>
        <p>{strings.emptyText}</p>
        <div className="mt-2 flex flex-wrap justify-center gap-1.5">
          {strings.examples.map((example) => (
            <button key={example} type="button" className="chip" onClick={() => onExample(example)}>
              {example}
            </button>
          ))}
        </div>
      </div>
    </div>
  );
}
