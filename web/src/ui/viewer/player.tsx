import { Maximize2, Minimize2, Pause, Play, Repeat, StepBack, StepForward, Volume2, VolumeX } from "lucide-react";
import type { CSSProperties, ReactNode } from "react";
import { useShortcuts } from "../shortcuts.ts";
import type { FrameRate } from "./frames.ts";
import { strings } from "./strings.ts";
import type { FullScreen } from "./use-full-screen.ts";
import { type Playback, usePlayback } from "./use-playback.ts";

/** Steps of the seek bar where frames are not known, in seconds. */
const fineness = 0.01;

interface PlayerProps {
  video: HTMLVideoElement | null;
  rate: FrameRate | null;
  fullScreen: FullScreen;
}

/** Controls under the clip, never on it. */
export function Player({ video, rate, fullScreen }: PlayerProps) {
  const playback = usePlayback(video, rate);
  const { playing } = playback;
  usePlayerKeys(playback, rate);
  return (
    <fieldset className="player" aria-label={strings.player}>
      <Control
        label={playing ? strings.pause : strings.play}
        keys={strings.space}
        icon={playing ? <Pause className="icon" aria-hidden="true" /> : <Play className="icon" aria-hidden="true" />}
        onPress={playback.togglePlay}
      />
      {rate === null ? null : <FrameSteps playback={playback} />}
      <Seek playback={playback} rate={rate} />
      <Clock playback={playback} />
      <Control
        label={strings.loop}
        keys="L"
        pressed={playback.loop}
        icon={<Repeat className="icon" aria-hidden="true" />}
        onPress={playback.toggleLoop}
      />
      {playback.sound ? <Volume playback={playback} /> : null}
      {fullScreen.possible ? (
        <Control
          label={fullScreen.active ? strings.leaveFullScreen : strings.fullScreen}
          keys="F"
          icon={
            fullScreen.active ? (
              <Minimize2 className="icon" aria-hidden="true" />
            ) : (
              <Maximize2 className="icon" aria-hidden="true" />
            )
          }
          onPress={fullScreen.toggle}
        />
      ) : null}
    </fieldset>
  );
}

function usePlayerKeys(playback: Playback, rate: FrameRate | null): void {
  useShortcuts(strings.player, {
    " ": { label: strings.playPause, run: playback.togglePlay },
    ...(rate === null
      ? {}
      : {
          ",": { label: strings.frameBack, run: () => playback.stepFrames(-1) },
          ".": { label: strings.frameOn, run: () => playback.stepFrames(1) },
        }),
    j: { label: strings.secondBack, run: () => playback.stepSeconds(-1) },
    k: { label: strings.secondOn, run: () => playback.stepSeconds(1) },
    "0": { label: strings.toStart, run: () => playback.seek(0) },
    l: { label: strings.loop, run: playback.toggleLoop },
    ...(playback.sound ? { m: { label: strings.mute, run: playback.toggleSound } } : {}),
  });
}

function FrameSteps({ playback }: { playback: Playback }) {
  return (
    <>
      <Control
        label={strings.frameBack}
        keys=","
        icon={<StepBack className="icon" aria-hidden="true" />}
        onPress={() => playback.stepFrames(-1)}
      />
      <Control
        label={strings.frameOn}
        keys="."
        icon={<StepForward className="icon" aria-hidden="true" />}
        onPress={() => playback.stepFrames(1)}
      />
    </>
  );
}

/** One step of the bar is one frame, so that the arrow keys of a range step through the clip. */
function Seek({ playback, rate }: { playback: Playback; rate: FrameRate | null }) {
  const { at, length, frame } = playback;
  const last = rate === null ? length : rate.frames - 1;
  const value = frame ?? at;
  return (
    <input
      className="range range-seek player-seek"
      type="range"
      min={0}
      max={last || 1}
      step={rate === null ? fineness : 1}
      value={rate === null ? value.toFixed(2) : value}
      style={{ "--value": last > 0 ? Math.min(1, value / last) : 0 } as CSSProperties}
      aria-label={strings.position}
      aria-valuetext={strings.positionText(at, length, frame)}
      // The space bar does nothing to a range by itself, so it may play here as it does elsewhere.
      onKeyDown={(event) => {
        if (event.key !== " ") return;
        event.preventDefault();
        playback.togglePlay();
      }}
      onChange={(event) => {
        const wanted = event.target.valueAsNumber;
        if (rate === null) playback.seek(wanted);
        else playback.seekFrame(wanted);
      }}
    />
  );
}

function Clock({ playback }: { playback: Playback }) {
  return (
    <span className="player-clock num" aria-busy={playback.waiting}>
      {playback.waiting ? strings.buffering : strings.clock(playback.at, playback.length)}
    </span>
  );
}

function Volume({ playback }: { playback: Playback }) {
  const { muted, volume } = playback;
  return (
    <>
      <Control
        label={muted ? strings.unmute : strings.mute}
        keys="M"
        icon={muted ? <VolumeX className="icon" aria-hidden="true" /> : <Volume2 className="icon" aria-hidden="true" />}
        onPress={playback.toggleSound}
      />
      <input
        className="range player-volume"
        type="range"
        min={0}
        max={1}
        step={0.05}
        value={muted ? 0 : volume}
        style={{ "--value": muted ? 0 : volume } as CSSProperties}
        aria-label={strings.volume}
        aria-valuetext={strings.percent(Math.round((muted ? 0 : volume) * 100))}
        onChange={(event) => playback.setVolume(event.target.valueAsNumber)}
      />
    </>
  );
}

interface ControlProps {
  label: string;
  keys: string;
  icon: ReactNode;
  pressed?: boolean;
  onPress: () => void;
}

function Control({ label, keys, icon, pressed, onPress }: ControlProps) {
  return (
    <button
      type="button"
      className="icon-btn icon-btn-small"
      aria-label={label}
      title={`${label} (${keys})`}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      onClick={onPress}
    >
      {icon}
    </button>
  );
}
