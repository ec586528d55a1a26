// The keys of the page. A part says which keys it has while it is there; one listener looks them up. Single keys rest
// while a field has focus and can be switched off (WCAG 2.1.4).
import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { belongsToFocus, mayRepeat, pressName } from "./shortcut-keys.ts";

export interface Shortcut {
  /** What the key does, as the list of keys says it. */
  label: string;
  run: (event: KeyboardEvent) => void;
}

export type Shortcuts = Readonly<Record<string, Shortcut>>;

export interface ShortcutGroup {
  name: string;
  shortcuts: Shortcuts;
}

/** How long the first key of two waits for the second, in milliseconds. */
const sequencePause = 1_500;
const storageKey = "safelight.single-keys";

let groups: readonly { current: ShortcutGroup }[] = [];
let begun: { key: string; until: number } | null = null;
let singleKeys = readSingleKeys();
let listOpen = false;
const listeners = new Set<() => void>();

/**
 * Gives the page keys for as long as the calling part is mounted and enabled. Names: "d", "?", "Delete", " " for the space
 * bar, "shift+ArrowLeft", "mod+Enter" (Ctrl or ⌘; works in fields too), "g s" for one after the other. Where two parts
 * want the same key, the one that came last has it.
 */
export function useShortcuts(
  group: string,
  shortcuts: Shortcuts,
  { enabled = true }: { enabled?: boolean } = {},
): void {
  const entry = useRef<ShortcutGroup>({ name: group, shortcuts });
  // Handlers change with every drawing of a part; the list of parts does not.
  useLayoutEffect(() => {
    entry.current = { name: group, shortcuts };
  });
  useEffect(() => {
    if (!enabled) return;
    groups = [...groups, entry];
    if (groups.length === 1) document.addEventListener("keydown", onKeyDown);
    return () => {
      groups = groups.filter((other) => other !== entry);
      if (groups.length === 0) document.removeEventListener("keydown", onKeyDown);
    };
  }, [enabled]);
}

/** Every group of keys that is in force now, those with the same name together. */
export function shortcutsInForce(): readonly ShortcutGroup[] {
  const byName = new Map<string, Shortcuts>();
  for (const { current } of groups) byName.set(current.name, { ...byName.get(current.name), ...current.shortcuts });
  return [...byName].map(([name, shortcuts]) => ({ name, shortcuts }));
}

/** Whether single keys are switched on, and the switch. */
export function useSingleKeys(): { on: boolean; setOn: (next: boolean) => void } {
  return { on: useSyncExternalStore(subscribe, () => singleKeys), setOn: setSingleKeys };
}

/** Whether the list of keys is open, and the way to open and close it from anywhere. */
export function useShortcutList(): { open: boolean } {
  return { open: useSyncExternalStore(subscribe, () => listOpen) };
}

export function openShortcutList(open = true): void {
  listOpen = open;
  tell();
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const name = pressName(event);
  if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
  if (belongsToFocus(name, event.target)) return;
  const isSingle = !name.startsWith("mod+") && !name.startsWith("alt+") && name !== "Escape";
  if (isSingle && !singleKeys) return;
  if (event.repeat && !mayRepeat(name)) return;
  const sequence = begun !== null && begun.until > event.timeStamp ? `${begun.key} ${name}` : null;
  begun = null;
  const shortcut = (sequence === null ? undefined : find(sequence)) ?? find(name);
  if (shortcut !== undefined) {
    event.preventDefault();
    shortcut.run(event);
  } else if (startsSequence(name)) {
    begun = { key: name, until: event.timeStamp + sequencePause };
  }
}

function find(name: string): Shortcut | undefined {
  return groups.findLast(({ current }) => Object.hasOwn(current.shortcuts, name))?.current.shortcuts[name];
}

function startsSequence(name: string): boolean {
  return groups.some(({ current }) => Object.keys(current.shortcuts).some((key) => key.startsWith(`${name} `)));
}

function setSingleKeys(next: boolean): void {
  singleKeys = next;
  try {
    localStorage.setItem(storageKey, next ? "on" : "off");
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  tell();
}

function readSingleKeys(): boolean {
  try {
    return localStorage.getItem(storageKey) !== "off";
  } catch {
    return true;
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}
