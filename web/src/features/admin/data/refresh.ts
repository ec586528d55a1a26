import type { QueryClient } from "@tanstack/react-query";

/** A change leads to a check or a claim that takes a moment, in milliseconds. */
const moment = 1_200;

/** What does not change again by what a change sets off. A session may ask 120 times a minute, and a quick operator comes near it. */
const settled = new Set(["audit", "statistics", "session"]);

/** What changes on the dashboard hardly touch: it is asked for in its own time, for the same reason. */
const apart = new Set(["storage", "secrets", "api-keys"]);

/** Reads the dashboard again: now, and most of it once more when what the change set off has had time to happen. */
export function refreshAfterChange(queryClient: QueryClient): void {
  readAgain(queryClient, apart);
  setTimeout(() => readAgain(queryClient, new Set([...apart, ...settled])), moment);
}

function readAgain(queryClient: QueryClient, left: ReadonlySet<string>): void {
  void queryClient.invalidateQueries({
    queryKey: ["admin"],
    predicate: ({ queryKey }) => !left.has(String(queryKey[1])),
  });
}
