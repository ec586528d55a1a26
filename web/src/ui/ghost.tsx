import { type CSSProperties, type ReactNode, useEffect, useState } from "react";

/** How long the page waits before it shows that it waits, in milliseconds: most answers are here sooner. */
const patience = 300;

/** Shapes of what is on its way; nothing at all in the first moments. `label` says what is loading. */
export function GhostArea({
  label,
  className = "",
  children,
}: {
  label: string;
  className?: string;
  children: ReactNode;
}) {
  const late = useLate();
  return (
    <output className={`ghost-area ${className}`} aria-busy="true">
      {late ? (
        <>
          <span className="visually-hidden">{label}</span>
          {children}
        </>
      ) : null}
    </output>
  );
}

/** One shape: give it its size by class or style. */
export function Ghost({ className = "", style }: { className?: string; style?: CSSProperties }) {
  return <span className={`ghost block ${className}`} style={style} aria-hidden="true" />;
}

/** False at first, true once the moment has passed in which waiting need not be shown. */
export function useLate(milliseconds: number = patience): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), milliseconds);
    return () => clearTimeout(timer);
  }, [milliseconds]);
  return late;
}
