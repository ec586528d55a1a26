import type { QueryClient } from "@tanstack/react-query";

/** A change leads to a check or a claim that takes a moment, in milliseconds. */
const moment = 1_200;

/** Reads everything on the dashboard again: now, and once more when what the change set off has had time to happen. */
export function refreshAfterChange(queryClient: QueryClient): void {
  const refresh = () => void queryClient.invalidateQueries({ queryKey: ["admin"] });
  refresh();
  setTimeout(refresh, moment);
}
