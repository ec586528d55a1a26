import type { DragEventHandler, ReactNode } from "react";

interface SectionProps {
  label: string;
  /** Shown as a heading; without it the section is only named. */
  heading?: ReactNode;
  onDrop?: DragEventHandler;
  children: ReactNode;
}

/** A part of the recipe: parted from the next by a hairline and space. */
export function Section({ label, heading, onDrop, children }: SectionProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- dropping has a button beside it
    <section aria-label={label} onDrop={onDrop} className="grid gap-3 border-b border-line p-4 last:border-b-0">
      {heading}
      {children}
    </section>
  );
}
