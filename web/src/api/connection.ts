// Whether the server can be reached, learnt from the requests the page makes anyway: the event stream knocks again and
// again by itself, so its first answer is the news that the connection is back.
import { useSyncExternalStore } from "react";

let reachable = true;
const listeners = new Set<() => void>();

function setReachable(next: boolean): void {
  if (reachable === next) return;
  reachable = next;
  for (const listener of listeners) listener();
}

/** `fetch` that takes note of answers and of silence. */
export const observedFetch: typeof globalThis.fetch = async (input, init) => {
  try {
    const response = await globalThis.fetch(input, init);
    setReachable(true);
    return response;
  } catch (error) {
    if (init?.signal?.aborted !== true) setReachable(false);
    throw error;
  }
};

/** Calls back whenever the server can be reached again. */
export function onConnectionBack(back: () => void): void {
  listeners.add(() => {
    if (reachable) back();
  });
}

/** False while the last request got no answer at all. */
export function useReachable(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => reachable,
  );
}
