import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { GalleryItem } from "../../api/gallery.ts";
import { everything, extended, nothingSelected, remaining, type Selection, toggled } from "./selection.ts";
import { useLatest } from "./use-latest.ts";

export interface Picking {
  selection: Selection;
  current: string | null;
  toggle: (id: string) => void;
  extend: (id: string) => void;
  settle: (id: string) => void;
  selectAll: (complete: boolean) => void;
  clear: () => void;
}

/** Which pictures are chosen and where the keyboard stands. The functions never change, so that cells can rest. */
export function usePicking(items: readonly GalleryItem[]): Picking {
  const [chosen, setSelection] = useState(nothingSelected);
  const [current, setCurrent] = useState<string | null>(null);
  const latest = useLatest({ items, current });
  useStandIn(items, current, setCurrent);
  const present = useMemo(() => new Set(items.map((item) => item.id)), [items]);
  const selection = useMemo(() => remaining(chosen, present), [chosen, present]);
  const actions = useMemo(() => {
    const order = () => latest.current.items.map((item) => item.id);
    return {
      toggle: (id: string) => {
        setCurrent(id);
        setSelection((selection) => toggled(selection, id, order()));
      },
      extend: (id: string) => {
        const origin = latest.current.current ?? id;
        setCurrent(id);
        setSelection((selection) => extended(selection, id, origin, order()));
      },
      settle: setCurrent,
      selectAll: (complete: boolean) => setSelection(everything(order(), complete)),
      clear: () => setSelection(nothingSelected),
    };
  }, [latest]);
  return { selection, current, ...actions };
}

/** When the picture the keyboard stands on goes away, the one that takes its place takes this over too. */
function useStandIn(items: readonly GalleryItem[], current: string | null, settle: (id: string | null) => void): void {
  const place = useRef(0);
  const find = useCallback(() => items.findIndex((item) => item.id === current), [items, current]);
  useEffect(() => {
    if (current === null) return;
    const index = find();
    if (index >= 0) place.current = index;
    else settle(items[Math.min(place.current, items.length - 1)]?.id ?? null);
  }, [items, current, find, settle]);
}
