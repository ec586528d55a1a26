import { useSyncExternalStore } from "react";

export type Theme = "system" | "dark" | "light";

const themes: readonly Theme[] = ["system", "dark", "light"];
const storageKey = "safelight.theme";
const listeners = new Set<() => void>();
let current: Theme = readTheme();

function readTheme(): Theme {
  try {
    const stored = localStorage.getItem(storageKey);
    return themes.find((theme) => theme === stored) ?? "system";
  } catch {
    return "system"; // storage can be switched off; the system's choice needs none
  }
}

/** Puts the chosen theme on the document; "system" leaves the choice to the browser. */
export function applyTheme(theme: Theme = current): void {
  current = theme;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

/** The theme in force and a function that goes on to the next: system, dark, light. */
export function useTheme(): { theme: Theme; nextTheme: () => void } {
  const theme = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
  const nextTheme = () => {
    const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
    try {
      localStorage.setItem(storageKey, next);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    applyTheme(next);
  };
  return { theme, nextTheme };
}
