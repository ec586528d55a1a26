import type { LucideIcon } from "lucide-react";
import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";

interface ProblemNoteProps {
  icon?: LucideIcon;
  title: string;
  /** What to do next. */
  action?: string | null;
  code?: string | null;
  reference?: string | null;
  referenceLabel?: string;
  children?: ReactNode;
}

/** An error that fills its place: what happened, what to do, and the code to name when asking for help. */
export function ProblemNote({
  icon: Icon = CircleAlert,
  title,
  action,
  code,
  reference,
  referenceLabel,
  children,
}: ProblemNoteProps) {
  return (
    <div className="blank" role="alert">
      <Icon aria-hidden="true" />
      <h3>{title}</h3>
      {action ? <p>{action}</p> : null}
      {children ? <div className="mt-2 flex flex-wrap justify-center gap-2">{children}</div> : null}
      {code ? <p className="mono mt-2 text-faint">{code}</p> : null}
      {reference ? (
        <p className="text-label text-faint">
          {referenceLabel} <span className="mono">{reference}</span>
        </p>
      ) : null}
    </div>
  );
}
