import { useCallback, useEffect, useMemo, useState } from "react";
import { type FrameRate, frameAt, lengthOf, timeOfFrame, timeStepped } from "./frames.ts";

/** Where a clip is. */
export interface Position {
  /** Seconds from the start. */
  at: number;
  /** Seconds in all; 0 until it is known. */
  length: number;
  playing: boolean;
  /** It should be playing, and waits for bytes. */
  waiting: boolean;
  loop: boolean;
  sound: boolean;
  muted: boolean;
  /** 0 to 1. */
  volume: number;
}

export interface Playback extends Position {
  /** The frame that is shown; null where the rate is not known. */
  frame: number | null;
  togglePlay: () => void;
  toggleLoop: () => void;
  toggleSound: () => void;
  setVolume: (volume: number) => void;
  /** Goes to a time in seconds. */
  seek: (seconds: number) => void;
  seekFrame: (frame: number) => void;
  /** Stops and goes on by some frames. */
  stepFrames: (by: number) => void;
  stepSeconds: (by: number) => void;
}

const standing: Position = {
  at: 0,
  length: 0,
  playing: false,
  waiting: false,
  loop: true,
  sound: false,
  muted: true,
  volume: 1,
};

const news = [
  "play",
  "pause",
  "ended",
  "seeking",
  "seeked",
  "timeupdate",
  "durationchange",
  "loadeddata",
  "volumechange",
  "waiting",
  "playing",
  "canplay",
] as const;

/** Follows a video element and moves it. Without a frame rate the element's own length counts. */
export function usePlayback(video: HTMLVideoElement | null, rate: FrameRate | null): Playback {
  const [position, setPosition] = useState<Position>(standing);
  useEffect(() => {
    if (video === null) return;
    let drawn = 0;
    const read = () => setPosition((last) => changed(last, positionOf(video)));
    // Events come four times a second: too coarse for a seek bar that should glide. A standing clip needs no more.
    const follow = () => {
      read();
      if (!video.paused) drawn = requestAnimationFrame(follow);
    };
    const onNews = () => {
      cancelAnimationFrame(drawn);
      follow();
    };
    onNews();
    for (const type of news) video.addEventListener(type, onNews);
    return () => {
      cancelAnimationFrame(drawn);
      for (const type of news) video.removeEventListener(type, onNews);
    };
  }, [video]);

  const goTo = useCallback(
    (seconds: number) => {
      if (video === null) return;
      jump(video, seconds);
      // At once: a slider whose value lags behind the pointer is set back and asks for the old place again.
      setPosition((last) => ({ ...last, at: seconds }));
    },
    [video],
  );
  const moves = useMemo(() => movesOf(video, rate, goTo), [video, rate, goTo]);
  return {
    ...position,
    ...moves,
    length: rate === null ? position.length : lengthOf(rate),
    frame: rate === null ? null : frameAt(position.at, rate),
  };
}

function jump(video: HTMLVideoElement, seconds: number): void {
  video.currentTime = seconds;
}

function movesOf(video: HTMLVideoElement | null, rate: FrameRate | null, goTo: (seconds: number) => void) {
  const limited = (seconds: number) => Math.max(0, Math.min(video?.duration || 0, seconds));
  return {
    togglePlay: () => {
      // A refused play leaves the clip standing, which is what the button then says.
      if (video?.paused) video.play().catch(() => {});
      else video?.pause();
    },
    toggleLoop: () => {
      if (video === null) return;
      video.loop = !video.loop;
      // The element tells of everything but this.
      video.dispatchEvent(new Event("volumechange"));
    },
    toggleSound: () => {
      if (video !== null) video.muted = !video.muted;
    },
    setVolume: (volume: number) => {
      if (video === null) return;
      video.volume = volume;
      video.muted = volume === 0;
    },
    seek: goTo,
    seekFrame: (frame: number) => {
      if (rate !== null) goTo(timeOfFrame(frame, rate));
    },
    stepFrames: (by: number) => {
      if (video === null || rate === null) return;
      video.pause();
      goTo(timeStepped(video.currentTime, by, rate));
    },
    stepSeconds: (by: number) => {
      if (video === null) return;
      goTo(
        rate === null
          ? limited(video.currentTime + by)
          : timeStepped(video.currentTime, Math.round(by * rate.fps), rate),
      );
    },
  };
}

/** Keeps the old object while nothing has changed, so that nothing is drawn anew. */
function changed(last: Position, next: Position): Position {
  const keys = Object.keys(next) as (keyof Position)[];
  return keys.every((key) => last[key] === next[key]) ? last : next;
}

function positionOf(video: HTMLVideoElement): Position {
  return {
    at: video.currentTime,
    length: Number.isFinite(video.duration) ? video.duration : 0,
    playing: !video.paused,
    waiting: !video.paused && !video.ended && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA,
    loop: video.loop,
    sound: hasSound(video),
    muted: video.muted,
    volume: video.volume,
  };
}

/** Browsers tell in ways of their own whether a clip has a sound track, some of them only after it has played a little. */
function hasSound(video: HTMLVideoElement): boolean {
  const told = video as HTMLVideoElement & {
    mozHasAudio?: boolean;
    webkitAudioDecodedByteCount?: number;
    audioTracks?: { length: number };
  };
  return (
    told.mozHasAudio === true || (told.webkitAudioDecodedByteCount ?? 0) > 0 || (told.audioTracks?.length ?? 0) > 0
  );
}
