import type { QueryClient } from "@tanstack/react-query";

/** A change leads to a check or a claim that takes a moment, in milliseconds. */
const moment = 1_200;

/** What does not change again by what a change sets off. A session may ask 120 times a minute, and a quick operator comes near it. */
const settled = new Set(["audit", "statistics", "session"]);

/** Reads everything on the dashboard again: now, and most of it once more when what the change set off has had time to happen. */
export function refreshAfterChange(queryClient: QueryClient): void {
  void queryClient.invalidateQueries({ queryKey: ["admin"] });
  const later = () =>
    void queryClient.invalidateQueries({
      queryKey: ["admin"],
      predicate: ({ queryKey }) => !settled.has(String(queryKey[1])),
    });
  setTimeout(later, moment);
}
