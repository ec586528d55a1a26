import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { client } from "../../api/client.ts";
import { deleteSoon, undoTime } from "../../api/pending-deletes.ts";
import { describeProblem } from "../../api/problems.ts";
import { useResubmit } from "../../api/resubmit.ts";
import { withSession } from "../../api/session.ts";
import { applyStatus, forgetTasks, type Task } from "../../api/tasks.ts";
import { useNavigate } from "../../ui/router.tsx";
import { showToast } from "../../ui/toasts.tsx";
import type { RowActions } from "./row-parts.tsx";
import { strings } from "./strings.ts";

/** What the buttons of a row do. The same object as long as `toggle` is. */
export function useRowActions(toggle: (id: string) => void): RowActions {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const show = useCallback((id: string) => void navigate({ to: "/", search: { task: id } }), [navigate]);
  const { retry, vary } = useResubmit(show);
  const { mutate: cancel } = useMutation({
    mutationFn: (id: string) => withSession(() => client.cancelTask({ path: { id } })),
    onSuccess: (status) => applyStatus(queryClient, status),
    onError: (error) => tellRefusal(strings.cancelFailed, error),
  });
  return useMemo(
    () => ({
      toggle,
      cancel,
      retry: (task) => void retry(task),
      vary: (task) => void vary(task),
      use: (task) => void navigate({ to: "/", search: { use: task.id, as: "settings" } }),
      remove: (task) => removeSoon(task, (ids) => forgetTasks(queryClient, new Set(ids))),
    }),
    [toggle, cancel, retry, vary, navigate, queryClient],
  );
}

/** Out of sight at once, gone when nobody has taken it back for a few seconds; as in the gallery. */
function removeSoon(task: Task, onDeleted: (ids: readonly string[]) => void): void {
  let close = (): void => {};
  const pending = deleteSoon([task.id], {
    onDeleted,
    onFailed: (failures) => tellRefusal(strings.deleteFailed, failures[0]?.error),
    onLeaving: () => close(),
  });
  close = showToast({
    text: strings.deleted,
    detail: task.prompt,
    lasts: undoTime,
    action: { label: strings.undo, run: () => void pending.undo() },
  });
}

function tellRefusal(text: string, error: unknown): void {
  const { detail, action } = describeProblem(error);
  showToast({ tone: "error", text, detail: [detail, action].filter(Boolean).join(" ") });
}
