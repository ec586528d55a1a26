import { type ReactNode, useState } from "react";
import { client } from "../../../api/client.ts";
import { type StudioModel, useModels } from "../../../api/models.ts";
import type { Task } from "../../../api/tasks.ts";
import { isPixelated } from "../../../ui/viewer/pixelated.ts";
import { Viewer, type ViewerMedia } from "../../../ui/viewer/viewer.tsx";
import { GoneView } from "./gone-view.tsx";
import { ResultActions } from "./result-actions.tsx";
import { ResultNotes } from "./result-notes.tsx";
import { strings } from "./result-strings.ts";
import { pictureBefore, sizeOf } from "./task-facts.ts";

interface DoneViewProps {
  task: Task;
  title: ReactNode;
  onFollow: (taskId: string) => void;
}

/** A finished picture or clip, what can be done with it, and what there is to know about it. */
export function DoneView({ task, title, onFollow }: DoneViewProps) {
  const { data: models } = useModels();
  const [gone, setGone] = useState(false);
  if (gone || task.result_missing || task.result_url === null) {
    return <GoneView task={task} title={title} onFollow={onFollow} />;
  }
  const model = models?.find((candidate) => candidate.id === task.model);
  return (
    <Viewer
      media={mediaOf(task, task.result_url)}
      toolbar={title}
      compareWith={beforeOf(task, model)}
      onMissing={() => setGone(true)}
    >
      <div className="viewer-under">
        <ResultActions task={task} url={task.result_url} onFollow={onFollow} />
        <ResultNotes task={task} model={model} />
      </div>
    </Viewer>
  );
}

function mediaOf(task: Task, url: string): ViewerMedia {
  return {
    kind: task.type,
    url,
    // The last step preview of a clip is not its first frame, so a still has to stand in there.
    poster: task.thumbnail_url ?? (task.type === "image" ? task.preview_url : null),
    ...sizeOf(task),
    fps: task.fps,
    frames: task.frames,
    pixelated: isPixelated(task.engine),
    alt: strings.resultOf(task.prompt),
    version: task.id,
  };
}

function beforeOf(task: Task, model: StudioModel | undefined): { url: string } | null {
  const upload = pictureBefore(task, model);
  return upload === null ? null : { url: client.urlOf("getUpload", { id: upload }) };
}
