import { useCallback, useEffect, useRef, useState } from "react";
import { useMediaCheck } from "./media-access.ts";

/** "failed": the bytes are there but cannot be shown. */
export type MediaPhase = "loading" | "ready" | "gone" | "failed" | "unreachable";

export interface MediaSource {
  phase: MediaPhase;
  /** Counts the tries; as a key it makes the element ask again. */
  attempt: number;
  onReady: () => void;
  onError: () => void;
  retry: () => void;
}

/** How long to wait before an unreachable server is asked again, in milliseconds. */
const pause = 4_000;

/** Loads what stands at an address: finds out why it failed, tries again after a new session and a lost connection. */
export function useMediaSource(url: string, onMissing?: () => void): MediaSource {
  const check = useMediaCheck();
  const [phase, setPhase] = useState<MediaPhase>("loading");
  const [attempt, setAttempt] = useState(0);
  const tried = useRef(false);
  const told = useRef(onMissing);
  useEffect(() => {
    told.current = onMissing;
  }, [onMissing]);

  const retry = useCallback(() => {
    setPhase("loading");
    setAttempt((count) => count + 1);
  }, []);
  const onReady = useCallback(() => {
    tried.current = false;
    setPhase("ready");
  }, []);
  const explain = useCallback(async () => {
    const state = await check(url);
    if (state === "gone") {
      setPhase("gone");
      told.current?.();
    } else if (state === "unreachable") {
      setPhase("unreachable");
    } else if (state === "there" && !tried.current) {
      // It failed and is there: the session was renewed meanwhile, or the connection broke. Once more, then it is broken.
      tried.current = true;
      retry();
    } else {
      setPhase("failed");
    }
  }, [check, url, retry]);
  const onError = useCallback(() => void explain(), [explain]);
  useEffect(() => {
    if (phase !== "unreachable") return;
    const timer = setTimeout(retry, pause);
    window.addEventListener("online", retry);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("online", retry);
    };
  }, [phase, retry]);
  return { phase, attempt, onReady, onError, retry };
}
