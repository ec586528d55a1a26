import type { AdminTask } from "@safelight/contract";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { client } from "../../../api/client.ts";
import { describeProblem } from "../../../api/problems.ts";
import { confirmAction } from "../../../ui/confirm.tsx";
import { showToast } from "../../../ui/toasts.tsx";
import { refreshAfterChange } from "../data/refresh.ts";
import { asAdmin } from "../session/admin-session.ts";
import { strings } from "./strings.ts";
import { shortId } from "./task-row.tsx";

/** What the buttons of the queue do. The same object at every drawing. */
export function useTaskActions() {
  const queryClient = useQueryClient();
  return useMemo(() => {
    const run = async (request: () => Promise<unknown>, done: string, failed: string) => {
      try {
        await asAdmin(request);
        showToast({ text: done });
      } catch (error) {
        const { detail, action } = describeProblem(error);
        showToast({ tone: "error", text: failed, detail: [detail, action].filter(Boolean).join(" ") });
      }
      refreshAfterChange(queryClient);
    };
    const cancel = async ({ id, prompt }: AdminTask) => {
      const agreed = await confirmAction({
        title: strings.cancelTitle,
        text: strings.cancelText(shortId(id), prompt),
        confirm: strings.cancelVerb,
        danger: true,
      });
      if (agreed) await run(() => client.cancelAnyTask({ path: { id } }), strings.cancelled, strings.cancelFailed);
    };
    return {
      cancel: (task: AdminTask) => void cancel(task),
      front: ({ id }: AdminTask, front: boolean) =>
        void run(
          () => client.frontTask({ path: { id }, body: { front } }),
          front ? strings.fronted : strings.unfronted,
          strings.frontFailed,
        ),
      pause: () => void run(() => client.pauseQueue(), strings.pausedToast, strings.pauseFailed),
      resume: () => void run(() => client.resumeQueue(), strings.resumedToast, strings.pauseFailed),
    };
  }, [queryClient]);
}
