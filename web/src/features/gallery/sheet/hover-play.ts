import { useCallback, useEffect, useRef, useState } from "react";

/** A pointer that only passes by starts nothing, in milliseconds. */
const hesitation = 200;

export interface HoverPlay {
  /** The one clip that plays. */
  readonly playing: string | null;
  readonly enter: (id: string) => void;
  readonly leave: () => void;
}

/** Plays the clip under a resting pointer, one at a time, and none where less motion is asked for. */
export function useHoverPlay(): HoverPlay {
  const [playing, setPlaying] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const leave = useCallback(() => {
    clearTimeout(timer.current);
    setPlaying(null);
  }, []);
  const enter = useCallback((id: string) => {
    clearTimeout(timer.current);
    setPlaying(null);
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    timer.current = setTimeout(() => setPlaying(id), hesitation);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);
  return { playing, enter, leave };
}
