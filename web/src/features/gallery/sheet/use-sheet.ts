import { type RefObject, useLayoutEffect, useState } from "react";
import { useMediaQuery } from "../../../ui/use-media-query.ts";
import type { PrintSize } from "../search.ts";
import { layOut, type Print, type Sheet, type SheetRules } from "./sheet.ts";

/** From these widths of the window on, rows are higher; as the design's table has it. */
const steps = {
  phone: { large: 116, small: 76, gap: 2, margin: 2, heading: 34 },
  tablet: { large: 150, small: 100, gap: 4, margin: 16, heading: 44 },
  desk: { large: 196, small: 120, gap: 4, margin: 16, heading: 44 },
};

export interface Measures extends Omit<SheetRules, "width"> {
  /** Pixels left and right of the rows. */
  margin: number;
}

export function useMeasures(size: PrintSize): Measures {
  const isTablet = useMediaQuery("(min-width: 40rem)");
  const isDesk = useMediaQuery("(min-width: 70rem)");
  const step = isDesk ? steps.desk : isTablet ? steps.tablet : steps.phone;
  return { height: step[size], gap: step.gap, heading: step.heading, margin: step.margin };
}

/** The sheet of these prints in this box; null until the width of the box is known. */
export function useSheet<P extends Print>(
  prints: readonly P[],
  width: number | null,
  measures: Measures,
): Sheet<P> | null {
  const [sheet, setSheet] = useState<Sheet<P> | null>(null);
  if (width === null) return null;
  const { height, gap, heading, margin } = measures;
  // Nothing new gives back the sheet itself; what is new continues the one before.
  const next = layOut(sheet, prints, { width: Math.max(1, width - 2 * margin), height, gap, heading });
  if (next !== sheet) setSheet(next);
  return next;
}

/** Width and height of the inside of a box, without its scroll bar; null until it stands. */
export function useBox(element: RefObject<HTMLElement | null>): { width: number; height: number } | null {
  const [box, setBox] = useState<{ width: number; height: number } | null>(null);
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null) return;
    const read = () => {
      const next = { width: target.clientWidth, height: target.clientHeight };
      setBox((known) => (known?.width === next.width && known.height === next.height ? known : next));
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return box;
}
