import { type RefObject, useEffect, useRef, useState } from "react";

interface Position {
  /** Seconds from the start. */
  at: number;
  /** Seconds in all; 0 until it is known. */
  duration: number;
  playing: boolean;
  loop: boolean;
}

export interface Playback extends Position {
  togglePlay: () => void;
  toggleLoop: () => void;
  seek: (seconds: number) => void;
  enterFullScreen: () => void;
}

/** Where a clip is and the means to move it; `video` goes onto the element. */
export function usePlayback(): { video: RefObject<HTMLVideoElement | null>; playback: Playback } {
  const video = useRef<HTMLVideoElement>(null);
  const [position, setPosition] = useState<Position>({ at: 0, duration: 0, playing: false, loop: true });
  useEffect(() => {
    let frame = 0;
    // timeupdate comes four times a second: too coarse for a seek bar that should glide.
    const read = () => {
      const next = positionOf(video.current);
      if (next !== null) setPosition((last) => (isSame(last, next) ? last : next));
      frame = requestAnimationFrame(read);
    };
    frame = requestAnimationFrame(read);
    return () => cancelAnimationFrame(frame);
  }, []);
  const playback: Playback = {
    ...position,
    togglePlay: () => {
      const element = video.current;
      // A refused play leaves the clip standing, which is what the button then says.
      if (element?.paused) element.play().catch(() => {});
      else element?.pause();
    },
    toggleLoop: () => {
      if (video.current) video.current.loop = !video.current.loop;
    },
    seek: (seconds) => {
      if (video.current) video.current.currentTime = seconds;
      // At once: a slider whose value lags behind the pointer is set back and asks for the old place again.
      setPosition((last) => ({ ...last, at: seconds }));
    },
    enterFullScreen: () => {
      video.current?.requestFullscreen?.().catch(() => {});
    },
  };
  return { video, playback };
}

function positionOf(element: HTMLVideoElement | null): Position | null {
  if (element === null) return null;
  const duration = Number.isFinite(element.duration) ? element.duration : 0;
  return { at: element.currentTime, duration, playing: !element.paused, loop: element.loop };
}

function isSame(a: Position, b: Position): boolean {
  return a.at === b.at && a.duration === b.duration && a.playing === b.playing && a.loop === b.loop;
}
