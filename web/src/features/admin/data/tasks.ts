import type { AdminTask } from "@safelight/contract";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { client } from "../../../api/client.ts";
import { asAdmin } from "../session/admin-session.ts";
import { often, polled } from "./polling.ts";

/** So many of each are shown; the rest of a long queue is told as a number. */
export const shownTasks = 50;

export interface Unfinished {
  running: readonly AdminTask[];
  /** In the order they wait in, as far as they are shown. */
  waiting: readonly AdminTask[];
  /** All that wait. */
  waitingTotal: number;
  waitingIsExact: boolean;
}

/** What runs and what waits, of every client. */
export function useUnfinished(): UseQueryResult<Unfinished> {
  return useQuery({
    queryKey: ["admin", "tasks"],
    queryFn: async ({ signal }): Promise<Unfinished> => {
      const list = (status: "processing" | "pending") =>
        asAdmin(() => client.listAllTasks({ query: { status, per_page: shownTasks, order: "asc" }, signal }));
      const [running, waiting] = await Promise.all([list("processing"), list("pending")]);
      return {
        running: running.items,
        waiting: waiting.items.toSorted((a, b) => Number(b.front) - Number(a.front)),
        waitingTotal: waiting.total,
        waitingIsExact: waiting.total_is_exact,
      };
    },
    ...polled(often),
  });
}
