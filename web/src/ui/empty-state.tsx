import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface EmptyStateProps {
  icon: LucideIcon;
  title: string;
  /** What comes here, and how. */
  text?: ReactNode;
  /** Level of the heading where it stands. */
  level?: 1 | 2 | 3;
  /** What to do next: buttons and links. */
  children?: ReactNode;
}

/** A place with nothing in it yet: says what will be there and offers the way. */
export function EmptyState({ icon: Icon, title, text, level = 2, children }: EmptyStateProps) {
  const Heading = `h${level}` as const;
  return (
    <div className="blank">
      <Icon aria-hidden="true" />
      <Heading>{title}</Heading>
      {text ? <p>{text}</p> : null}
      {children ? <div className="mt-2 flex flex-wrap justify-center gap-2">{children}</div> : null}
    </div>
  );
}
