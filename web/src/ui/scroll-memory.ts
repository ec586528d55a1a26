// How far each entry of the browser's history was scrolled. The browser would restore it before the page has its height.

export const scrollKey = "safelightEntry";

const storageKey = "safelight.scroll.";
/** How long a page may take to grow as high as it was, in milliseconds. */
const patience = 1_500;

let attempt = 0;

/** Keeps the place of the entry that is being left. */
export function rememberScroll(): void {
  try {
    sessionStorage.setItem(storageKey + entryKey(), String(Math.round(window.scrollY)));
  } catch {
    // Without storage a page opens at its top.
  }
}

/** Goes back to where the current entry was left, as soon as the page is high enough; any scrolling of the person ends it. */
export function restoreScroll(): void {
  const wanted = rememberedScroll();
  attempt += 1;
  if (wanted === 0) return window.scrollTo(0, 0);
  const mine = attempt;
  const until = performance.now() + patience;
  const give = new AbortController();
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    window.addEventListener(type, () => give.abort(), { signal: give.signal, passive: true });
  }
  const step = () => {
    if (give.signal.aborted || mine !== attempt) return;
    window.scrollTo(0, wanted);
    if (Math.abs(window.scrollY - wanted) < 2 || performance.now() > until) give.abort();
    else requestAnimationFrame(step);
  };
  step();
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
