import { createContext, type MouseEvent, type ReactNode, useContext } from "react";

/** Goes to another page of Safelight by its address, without loading the document anew. */
export const LeaveContext = createContext<(href: string) => void>((href) => window.location.assign(href));

/** A link to another page of Safelight. */
export function PageAnchor({ href, className, children }: { href: string; className: string; children: ReactNode }) {
  const leave = useContext(LeaveContext);
  const go = (event: MouseEvent) => {
    // Anything but a plain press is the browser's: a new tab, a new window.
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    leave(href);
  };
  return (
    <a href={href} className={className} onClick={go}>
      {children}
    </a>
  );
}
