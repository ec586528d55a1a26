import type { ReactNode } from "react";

interface SectionHeadProps {
  id: string;
  title: string;
  /** What the section says beside its title. */
  note?: ReactNode;
  children?: ReactNode;
}

/** The title of a section, a word on it, and its buttons at the other end. */
export function SectionHead({ id, title, note, children }: SectionHeadProps) {
  return (
    <div className="admin-head">
      <h2 id={id} tabIndex={-1}>
        {title}
      </h2>
      {note ? <span className="text-label text-faint num">{note}</span> : null}
      {children ? <div className="admin-head-tools">{children}</div> : null}
    </div>
  );
}
