import type { ReactNode } from "react";

interface SectionProps {
  label: string;
  /** Shown as a heading; without it the section is only named. */
  heading?: ReactNode;
  children: ReactNode;
}

/** A part of the recipe: parted from the next by a hairline and space. */
export function Section({ label, heading, children }: SectionProps) {
  return (
    <section aria-label={label} className="grid gap-3 border-b border-line p-4 last:border-b-0">
      {heading}
      {children}
    </section>
  );
}
