// How far each entry of the browser's history was scrolled. The browser would restore it before the page has its height.

export const scrollKey = "safelightEntry";

const storageKey = "safelight.scroll.";
/** How long a page that reads nothing any more may take to grow as high as it was, in milliseconds. */
const patience = 1_500;

let giveUp = (): void => {};

/** Keeps the place of the entry that is being left. */
export function rememberScroll(): void {
  try {
    sessionStorage.setItem(storageKey + entryKey(), String(Math.round(window.scrollY)));
  } catch {
    // Without storage a page opens at its top.
  }
}

/** Goes back to where the current entry was left. `isReading` says that the page still waits for what it will show. */
export function restoreScroll(isReading: () => boolean = never): void {
  giveUp();
  giveUp = () => {};
  const wanted = rememberedScroll();
  if (wanted === 0) window.scrollTo(0, 0);
  else giveUp = holdScrollAt(wanted, { isReading });
}

interface Holding {
  isReading: () => boolean;
  /** For how long the page has to rest there, in milliseconds, while parts of it come in one after another. */
  settling?: number;
}

/**
 * Scrolls there as soon as the page is high enough, however long it takes to read what makes it high; any scrolling of the
 * person ends it. Answers how to end it before.
 */
export function holdScrollAt(wanted: number, { isReading, settling = 0 }: Holding): () => void {
  const ended = new AbortController();
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    window.addEventListener(type, () => ended.abort(), { signal: ended.signal, passive: true });
  }
  let restingSince = performance.now();
  const step = () => {
    if (ended.signal.aborted) return;
    const before = window.scrollY;
    if (Math.abs(before - wanted) >= 2) window.scrollTo(0, wanted);
    const isThere = Math.abs(window.scrollY - wanted) < 2;
    if (window.scrollY !== before || (isReading() && !(isThere && settling === 0))) restingSince = performance.now();
    if (performance.now() - restingSince >= (isThere ? settling : patience)) ended.abort();
    else requestAnimationFrame(step);
  };
  step();
  return () => ended.abort();
}

function never(): boolean {
  return false;
}

/** How far down the current entry was left, in pixels; 0 when nothing is known. */
export function rememberedScroll(): number {
  try {
    return Number(sessionStorage.getItem(storageKey + entryKey()) ?? 0);
  } catch {
    return 0;
  }
}

/** Names the current entry of the history. */
export function entryKey(): string {
  const state: unknown = window.history.state;
  const key = typeof state === "object" && state !== null && scrollKey in state ? state[scrollKey] : "first";
  return String(key);
}
