import type { ReactNode } from "react";

/** A place that scrolls sideways by itself where a table is wider than the window, with keys too. */
export function ScrollBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled with keys
    <section className="admin-scroll" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
