import { Info, X } from "lucide-react";
import type { Arrivals } from "../hooks/arrivals.ts";
import { strings } from "../strings.ts";

/** What there is to say about a file that was dropped or a task that was taken over, above the form. */
export function ArrivalNote({ arrivals }: { arrivals: Arrivals }) {
  const { notice, busy, dismiss } = arrivals;
  return (
    <div aria-live="polite" className="empty:hidden">
      {busy === null ? null : (
        <p className="border-b border-line px-4 py-2 text-label text-soft">{strings.uploading(busy)}</p>
      )}
      {notice === null ? null : (
        <div className="arrival-note">
          <Info className="icon mt-0.5 text-faint" aria-hidden="true" />
          <div className="grid gap-1">
            <p className="font-medium wrap-anywhere">{notice.title}</p>
            {notice.lines.map((line) => (
              <p key={line} className="text-label text-soft wrap-anywhere">
                {line}
              </p>
            ))}
            {notice.actions.length === 0 ? null : (
              <div className="mt-1 flex flex-wrap gap-1">
                {notice.actions.map(({ label, run }) => (
                  <button key={label} type="button" className="btn btn-small" onClick={run}>
                    {label}
                  </button>
                ))}
              </div>
            )}
          </div>
          <button
            type="button"
            className="icon-btn icon-btn-small"
            aria-label={strings.close}
            title={strings.close}
            onClick={dismiss}
          >
            <X className="icon" aria-hidden="true" />
          </button>
        </div>
      )}
    </div>
  );
}
