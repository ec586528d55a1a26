import { useState } from "react";
import type { Task } from "../../../api/tasks.ts";
import { renderingOf } from "../queue/thumbnail.tsx";
import { Easel } from "./easel.tsx";
import { ResultGone } from "./result-gone.tsx";
import { ResultNotes } from "./result-notes.tsx";
import { strings } from "./strings.ts";

/** A finished picture. */
export function PictureView({ task, url }: { task: Task; url: string }) {
  const [gone, setGone] = useState(false);
  if (gone) return <ResultGone />;
  return (
    <>
      <Easel task={task}>
        <img
          src={url}
          alt={strings.resultOf(task.prompt)}
          className={renderingOf(task.engine)}
          onError={() => setGone(true)}
        />
      </Easel>
      <ResultNotes task={task} url={url} />
    </>
  );
}
