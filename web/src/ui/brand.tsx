/** The lamp of the darkroom: a shade with the one glowing thing under it. */
export function BrandMark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 20 20" className={className ?? "size-5"} aria-hidden="true">
      <path className="fill-accent" d="M5 12.5h10a5 5 0 0 1-10 0z" />
      <path
        d="M10 1.75v3.5M6.9 5.25h6.2L17 12.5H3z"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  );
}
