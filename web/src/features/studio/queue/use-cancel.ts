import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { client } from "../../../api/client.ts";
import { describeProblem } from "../../../api/problems.ts";
import { withSession } from "../../../api/session.ts";
import { applyStatus, waitingIds } from "../../../api/tasks.ts";
import { confirmAction } from "../../../ui/confirm.tsx";
import { showToast } from "../../../ui/toasts.tsx";
import { strings } from "./list-strings.ts";

/** Cancellations under way at a time: quick, without crowding out everything else. */
const atOnce = 4;

/** Stops a task; an ended one stays as it is. */
export function useCancel() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => withSession(() => client.cancelTask({ path: { id } })),
    onSuccess: (status) => applyStatus(queryClient, status),
    onError: (error) => {
      const { detail, action } = describeProblem(error);
      showToast({ tone: "error", text: strings.cancelFailed, detail: [detail, action].filter(Boolean).join(" ") });
    },
  });
}

/** Asks, then stops everything that waits, the last in the queue first, so that none of them begins meanwhile. */
export function useCancelAll(): () => Promise<void> {
  const queryClient = useQueryClient();
  return useCallback(async () => {
    const count = waitingIds(queryClient).length;
    const agreed = await confirmAction({
      title: strings.cancelAllTitle(count),
      text: strings.cancelAllText,
      confirm: strings.cancelAllConfirm(count),
      keep: strings.cancelAllKeep,
      danger: true,
    });
    if (!agreed) return;
    const ids = [...waitingIds(queryClient)].reverse();
    let cancelled = 0;
    let failed = 0;
    const work = async () => {
      for (let id = ids.shift(); id !== undefined; id = ids.shift()) {
        const path = { id };
        try {
          applyStatus(queryClient, await withSession(() => client.cancelTask({ path })));
          cancelled += 1;
        } catch {
          failed += 1;
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    if (cancelled > 0) showToast({ text: strings.cancelledAll(cancelled) });
    if (failed > 0) showToast({ tone: "error", text: strings.cancelAllFailed(failed) });
  }, [queryClient]);
}
