import type { ReactNode } from "react";
import type { Task } from "../../../api/tasks.ts";
import { ResultMissing } from "../../../ui/viewer/media-problem.tsx";
import { AgainActions } from "./again-actions.tsx";
import { strings } from "./result-strings.ts";

interface GoneViewProps {
  task: Task;
  title: ReactNode;
  onFollow: (taskId: string) => void;
}

/** A task that is done and whose file is missing: it can be made again, which needs no file. */
export function GoneView({ task, title, onFollow }: GoneViewProps) {
  return (
    <>
      <div className="viewer-head">{title}</div>
      <div className="stage-centre">
        <ResultMissing>
          <AgainActions task={task} again={strings.makeAgain} settings={strings.use} onFollow={onFollow} />
        </ResultMissing>
      </div>
    </>
  );
}
