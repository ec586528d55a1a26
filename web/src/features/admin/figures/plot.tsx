import { type ReactNode, useId } from "react";

interface PlotProps {
  /** What the chart says, in a sentence. */
  title: string;
  text: string;
  /** Values at which lines stand, the last at the top; and how they are written. */
  steps: readonly number[];
  label: (value: number) => string;
  /** Words below: the beginning, something between, the end. */
  axis: readonly string[];
  /** Shapes in a square of 100 by 100, the origin at the top left. */
  children: ReactNode;
}

/** The frame of a chart: lines with their values, the time below, and one sentence for who does not see it. */
export function Plot({ title, text, steps, label, axis, children }: PlotProps) {
  const id = useId();
  const most = steps.at(-1) ?? 1;
  return (
    <>
      <div className="admin-plot">
        {steps.map((value) => (
          <span
            key={value}
            className="admin-gridline"
            style={{ bottom: `${(value / most) * 100}%` }}
            aria-hidden="true"
          >
            <b>{label(value)}</b>
          </span>
        ))}
        <svg
          viewBox="0 0 100 100"
          preserveAspectRatio="none"
          // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- drawn here, of what the page knows
          role="img"
          aria-labelledby={`${id}-t`}
          aria-describedby={`${id}-d`}
        >
          <title id={`${id}-t`}>{title}</title>
          <desc id={`${id}-d`}>{text}</desc>
          {children}
        </svg>
      </div>
      <div className="admin-axis" aria-hidden="true">
        {axis.map((word, index) => (
          <span key={`${word} ${index}`}>{word}</span>
        ))}
      </div>
    </>
  );
}
