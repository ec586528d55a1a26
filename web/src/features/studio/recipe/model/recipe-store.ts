// The recipe of this tab. It lives beside the components: typing redraws the recipe and nothing else of the page, and
// other parts of the page can write into it.
import { useSyncExternalStore } from "react";
import { keepDraft, readDraft } from "./draft.ts";
import type { Recipe } from "./recipe.ts";

/** Writing the draft is put off by this much, in milliseconds: a dragged slider changes it sixty times a second. */
const draftDelay = 250;

let current: Recipe | null = null;
let timer: ReturnType<typeof setTimeout> | null = null;
const listeners = new Set<() => void>();

export function currentRecipe(): Recipe {
  current ??= readDraft();
  return current;
}

export function changeRecipe(change: (recipe: Recipe) => Recipe): void {
  const next = change(currentRecipe());
  if (next === current) return;
  current = next;
  for (const listener of listeners) listener();
  timer ??= setTimeout(storeDraft, draftDelay);
}

/** Writes the draft now: the page is about to go. */
function storeDraft(): void {
  if (timer === null) return;
  clearTimeout(timer);
  timer = null;
  if (current !== null) keepDraft(current);
}

/** Forgets what is held in memory; the draft speaks again. For tests that play a reload. */
export function reloadRecipe(): void {
  storeDraft();
  current = null;
  for (const listener of listeners) listener();
}

export function useCurrentRecipe(): Recipe {
  return useSyncExternalStore(subscribe, currentRecipe);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  // A page put into the background may never be heard of again; on a phone there is no other sign.
  if (listeners.size === 1) window.addEventListener("pagehide", storeDraft);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.removeEventListener("pagehide", storeDraft);
    storeDraft();
  };
}
