import { type CSSProperties, type ReactNode, useState } from "react";
import { strings } from "./strings.ts";

interface CompareProps {
  /** Address of what was before; null shows what came of it alone. */
  before: string | null;
  pixelated: boolean;
  onMissing: () => void;
  children: ReactNode;
}

/** Where the edge stands at first, in percent of the width. */
const middle = 50;

/**
 * Before and after in one frame, with an edge between them: the whole picture is the handle. The range on top of it is
 * invisible and real, so that keys, screen readers and pointers all move it. What is compared stays mounted when the
 * comparison comes and goes: a clip plays on.
 */
export function Compare({ before, pixelated, onMissing, children }: CompareProps) {
  const [split, setSplit] = useState(middle);
  const comparing = before !== null;
  return (
    <div className={comparing ? "viewer-compare" : "viewer-alone"} style={{ "--split": `${split}%` } as CSSProperties}>
      {comparing ? (
        <img
          src={before}
          alt={strings.reference}
          className={`viewer-media viewer-before ${pixelated ? "pixelated" : ""}`}
          onError={onMissing}
        />
      ) : null}
      <div className="viewer-after">{children}</div>
      {comparing ? (
        <>
          <span className="viewer-edge" aria-hidden="true" />
          <span className="viewer-veil viewer-veil-start" aria-hidden="true">
            {strings.before}
          </span>
          <span className="viewer-veil viewer-veil-end" aria-hidden="true">
            {strings.after}
          </span>
          <input
            type="range"
            className="viewer-split"
            min={0}
            max={100}
            step={1}
            value={split}
            aria-label={strings.compareEdge}
            aria-valuetext={strings.compareAt(split)}
            onChange={(event) => setSplit(event.target.valueAsNumber)}
          />
        </>
      ) : null}
    </div>
  );
}
