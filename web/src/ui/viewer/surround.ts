// What surrounds a picture: what stands beside a colour changes how it looks, so black, grey and white are at hand.
import { useSyncExternalStore } from "react";

export type Surround = "black" | "grey" | "white";

const storageKey = "safelight.surround";
const order: readonly Surround[] = ["black", "grey", "white"];
const listeners = new Set<() => void>();
let chosen: Surround | null = stored();

/** The surround the user chose; null while the theme's own stands. */
export function useSurround(): Surround | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => chosen,
  );
}

/** The next of the three, beginning from what is to be seen now. */
export function nextSurround(current: Surround): Surround {
  return order[(order.indexOf(current) + 1) % order.length] ?? "black";
}

/** What is to be seen: the choice, else black in a dark page and white in a light one. */
export function surroundInForce(choice: Surround | null, dark: boolean): Surround {
  return choice ?? (dark ? "black" : "white");
}

export function turnSurround(): void {
  chosen = nextSurround(surroundInForce(chosen, isDark()));
  try {
    localStorage.setItem(storageKey, chosen);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

/** Whether the page is shown dark, by the user's choice or the system's. */
export function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme === undefined ? window.matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
}

function stored(): Surround | null {
  try {
    return order.find((surround) => surround === localStorage.getItem(storageKey)) ?? null;
  } catch {
    return null;
  }
}
