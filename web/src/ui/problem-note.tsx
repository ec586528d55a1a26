import type { LucideIcon } from "lucide-react";
import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";

interface ProblemNoteProps {
  icon?: LucideIcon;
  title: string;
  /** Level of the heading where it stands. */
  level?: 1 | 3;
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
  level = 3,
  action,
  code,
  reference,
  referenceLabel,
  children,
}: ProblemNoteProps) {
  const Heading = `h${level}` as const;
  return (
    <div className="blank" role="alert">
      <Icon aria-hidden="true" />
      <Heading>{title}</Heading>
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
