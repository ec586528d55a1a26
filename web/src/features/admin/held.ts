import { useSyncExternalStore } from "react";

/** A value that outlives the part of the page that shows it: in memory only, gone with the tab. */
export interface Held<Value> {
  read: () => Value;
  write: (next: Value) => void;
  /** The value in a component, drawn anew with every change. */
  use: () => Value;
}

export function hold<Value>(first: Value): Held<Value> {
  let value = first;
  const listeners = new Set<() => void>();
  const read = () => value;
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    read,
    write: (next) => {
      value = next;
      for (const listener of listeners) listener();
    },
    use: () => useSyncExternalStore(subscribe, read),
  };
}
