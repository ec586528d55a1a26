import type { Deployment, DeploymentsPage } from "@safelight/contract";
import { type UseInfiniteQueryResult, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { client } from "../../../api/client.ts";
import { asAdmin } from "../session/admin-session.ts";
import { often, polled, sometimes } from "./polling.ts";

const pageSize = 6;
export const deploymentsKey = ["admin", "deployments"] as const;

export function isUnderWay({ status }: Deployment): boolean {
  return status === "queued" || status === "running";
}

/** Deployments of all accounts, newest first, and the way to older ones. */
export function useDeployments() {
  const query = useInfiniteQuery({
    queryKey: deploymentsKey,
    queryFn: ({ pageParam, signal }): Promise<DeploymentsPage> =>
      asAdmin(() =>
        client.listDeployments({
          query: { limit: pageSize, ...(pageParam === null ? {} : { cursor: pageParam }) },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: DeploymentsPage) => page.next_cursor,
    select: ({ pages }) => pages.flatMap((page) => page.deployments),
    ...polled(sometimes),
    // What is under way is watched; more pages are read again one by one, so they come less often.
    refetchInterval: ({ state }) => {
      const pages = state.data?.pages ?? [];
      const isWatched = pages.some((page) => page.deployments.some(isUnderWay));
      return (isWatched ? often : sometimes) * Math.max(1, pages.length);
    },
  });
  return query satisfies UseInfiniteQueryResult<readonly Deployment[]>;
}

export interface DeployLog {
  /** How many lines came before the ones that are kept. */
  from: number;
  lines: readonly string[];
  failed: boolean;
}

/** A log grows without end in principle; the page keeps this many lines. */
const keptLines = 2 * 1000;
/** After a fault the log is asked for again after this long, in milliseconds. */
const pause = 3_000;

/** The log of a deployment as it grows, while somebody looks at it. Null until something is known of it. */
export function useDeployLog(id: string): DeployLog | null {
  const queryClient = useQueryClient();
  const [log, setLog] = useState<DeployLog | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    const follow = async (): Promise<void> => {
      try {
        for await (const event of client.deploymentEvents({ id, signal: leaving.signal })) {
          if (event.type === "deployment.log") setLog((before) => withLines(before, event.data));
          else setLog((before) => before ?? { from: 0, lines: [], failed: false });
          if (event.type === "deployment.updated" && !isUnderWay(event.data))
            void queryClient.invalidateQueries({ queryKey: ["admin"] });
        }
      } catch {
        if (leaving.signal.aborted) return;
        setLog((before) => ({ from: 0, lines: [], ...before, failed: true }));
        await new Promise((resolve) => setTimeout(resolve, pause));
        if (!leaving.signal.aborted) await follow();
      }
    };
    void follow();
    return () => leaving.abort();
  }, [id, queryClient]);
  return log;
}

/** The log with further lines; what was told before, as after a lost connection, is not told twice. */
export function withLines(
  before: DeployLog | null,
  { from, lines }: { from: number; lines: readonly string[] },
): DeployLog {
  const known = before ?? { from, lines: [] };
  const end = known.from + known.lines.length;
  const fresh = from > end ? lines : lines.slice(end - from);
  const start = from > end ? from : known.from;
  const all = from > end ? [...fresh] : [...known.lines, ...fresh];
  const cut = Math.max(0, all.length - keptLines);
  return { from: start + cut, lines: all.slice(cut), failed: false };
}
