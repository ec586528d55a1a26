import { Maximize2, Pause, Play, Repeat } from "lucide-react";
import type { CSSProperties } from "react";
import { strings } from "./strings.ts";
import type { Playback } from "./use-playback.ts";

/** Steps of the seek bar, in seconds. */
const fineness = 0.01;

/** Controls under the clip, never on it. */
export function Player({ playback }: { playback: Playback }) {
  const { at, duration, playing, loop } = playback;
  const style = { "--value": duration > 0 ? at / duration : 0 } as CSSProperties;
  return (
    <div className="flex items-center gap-1">
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={playing ? strings.pause : strings.play}
        onClick={playback.togglePlay}
      >
        {playing ? <Pause className="icon" aria-hidden="true" /> : <Play className="icon" aria-hidden="true" />}
      </button>
      <input
        className="range range-seek mx-2 min-w-20 flex-1"
        type="range"
        min={0}
        max={duration || 1}
        step={fineness}
        value={at.toFixed(2)}
        style={style}
        aria-label={strings.position}
        aria-valuetext={strings.positionText(at, duration)}
        onChange={(event) => playback.seek(event.target.valueAsNumber)}
      />
      <span className="num text-label text-soft">{strings.clock(at, duration)}</span>
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={strings.loop}
        title={strings.loop}
        aria-pressed={loop}
        onClick={playback.toggleLoop}
      >
        <Repeat className="icon" aria-hidden="true" />
      </button>
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={strings.fullScreen}
        title={strings.fullScreen}
        onClick={playback.enterFullScreen}
      >
        <Maximize2 className="icon" aria-hidden="true" />
      </button>
    </div>
  );
}
