import type { Task } from "../../../api/tasks.ts";
import { later } from "../../../ui/later.tsx";
import { AbsentTask } from "./absent-task.tsx";
import { EmptyStage } from "./empty-stage.tsx";
import { StageTitle } from "./stage-title.tsx";
import type { StageTask } from "./use-stage-task.ts";

// A first visit has no task yet: viewer, player and what can be done with a result come when the page stands.
const DevelopingView = later(() => import("./developing-view.tsx").then((module) => module.DevelopingView));
const DoneView = later(() => import("./done-view.tsx").then((module) => module.DoneView));
const FailedView = later(() => import("./failed-view.tsx").then((module) => module.FailedView));

interface StageProps {
  stage: StageTask;
  loading: boolean;
  onExample: (prompt: string) => void;
}

/** The picture and what is under it: the task that was chosen, in whatever state it is. */
export function Stage({ stage, loading, onExample }: StageProps) {
  const { shown, absent, show, follow } = stage;
  if (absent) return <AbsentTask onShow={show} />;
  if (shown !== null) return <TaskOnStage key={shown.id} task={shown} onFollow={follow} />;
  return <EmptyStage loading={loading || stage.latest.length > 0} onExample={onExample} />;
}

function TaskOnStage({ task, onFollow }: { task: Task; onFollow: (taskId: string) => void }) {
  const title = <StageTitle prompt={task.prompt} />;
  switch (task.status) {
    case "pending":
    case "processing":
      return <DevelopingView task={task} title={title} />;
    case "failed":
      return <FailedView task={task} title={title} onFollow={onFollow} />;
    case "done":
      return <DoneView task={task} title={title} onFollow={onFollow} />;
  }
}
