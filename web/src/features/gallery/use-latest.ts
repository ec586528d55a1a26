import { type RefObject, useLayoutEffect, useRef } from "react";

/** The newest value for functions that must not change with it. Read it in handlers and effects, not while drawing. */
export function useLatest<Value>(value: Value): RefObject<Value> {
  const latest = useRef(value);
  useLayoutEffect(() => {
    latest.current = value;
  });
  return latest;
}
