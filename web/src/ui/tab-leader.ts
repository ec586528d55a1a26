// Several tabs of the page share one person: only one of them may speak, and none while one of them is being looked at.

const leading = "safelight.leading";
const watched = "safelight.watched";

/** Takes part until `signal` fires. Where the browser has no locks every tab thinks that it leads. */
export function joinTabs(signal: AbortSignal): { isSpeaker: () => Promise<boolean> } {
  const locks = typeof navigator === "undefined" ? undefined : (navigator.locks as LockManager | undefined);
  if (locks === undefined) return { isSpeaker: async () => document.visibilityState === "hidden" };
  let leads = false;
  const held = () => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  void locks
    .request(leading, { signal }, () => {
      leads = true;
      return held();
    })
    .catch(() => {});
  const stopWatching = holdWhileVisible(locks, signal);
  signal.addEventListener("abort", stopWatching, { once: true });
  return {
    isSpeaker: async () => leads && !(await locks.query()).held?.some((lock) => lock.name === watched),
  };
}

/** Lets the other tabs know that this one is in sight. */
function holdWhileVisible(locks: LockManager, signal: AbortSignal): () => void {
  let letGo: (() => void) | null = null;
  const follow = (): void => {
    if (document.visibilityState === "hidden") {
      letGo?.();
      letGo = null;
    } else if (letGo === null) {
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      void locks.request(watched, { mode: "shared", signal }, () => held).catch(() => {});
    }
  };
  document.addEventListener("visibilitychange", follow);
  follow();
  return () => {
    document.removeEventListener("visibilitychange", follow);
    letGo?.();
  };
}
