import { useState } from "react";
import type { Task } from "../../../api/tasks.ts";
import { renderingOf } from "../queue/thumbnail.tsx";
import { Easel } from "./easel.tsx";
import { Player } from "./player.tsx";
import { ResultGone } from "./result-gone.tsx";
import { ResultNotes } from "./result-notes.tsx";
import { strings } from "./strings.ts";
import { usePlayback } from "./use-playback.ts";

/** A finished clip: plays in a loop at once, unless the system asks for less motion. */
export function ClipView({ task, url }: { task: Task; url: string }) {
  const { video, playback } = usePlayback();
  const [gone, setGone] = useState(false);
  if (gone) return <ResultGone />;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  return (
    <>
      <Easel task={task}>
        {/* Clips of these models have no sound, so there is nothing to caption. */}
        <video
          ref={video}
          src={url}
          poster={calm ? (task.preview_url ?? undefined) : undefined}
          className={renderingOf(task.engine)}
          aria-label={strings.resultOf(task.prompt)}
          autoPlay={!calm}
          loop
          muted
          playsInline
          preload="auto"
          onError={() => setGone(true)}
        />
      </Easel>
      <ResultNotes task={task} url={url} controls={<Player playback={playback} />} />
    </>
  );
}
