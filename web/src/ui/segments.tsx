import { type ReactNode, useId } from "react";

export interface Segment {
  value: string;
  label: ReactNode;
  /** Why it cannot be chosen; null when it can. */
  disabledReason?: string | null;
}

interface SegmentsProps {
  label: string;
  options: readonly Segment[];
  value: string | null;
  onChange: (value: string) => void;
  describedBy?: string | undefined;
}

/** One choice out of two to five short ones: a radio group drawn as a single control. */
export function Segments({ label, options, value, onChange, describedBy }: SegmentsProps) {
  const name = useId();
  return (
    <div className="segments" role="radiogroup" aria-label={label} aria-describedby={describedBy}>
      {options.map((option) => (
        <label key={option.value} title={option.disabledReason ?? undefined}>
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            disabled={Boolean(option.disabledReason)}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}
