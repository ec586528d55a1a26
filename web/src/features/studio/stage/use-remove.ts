import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { deleteSoon, undoTime } from "../../../api/pending-deletes.ts";
import { describeProblem } from "../../../api/problems.ts";
import { forgetTasks, type Task } from "../../../api/tasks.ts";
import { navigate } from "../../../ui/router.tsx";
import { showToast } from "../../../ui/toast-store.ts";
import { strings } from "./result-strings.ts";

/** Deletes an ended task after a few seconds in which it can be taken back. */
export function useRemove(): (task: Task) => void {
  const queryClient = useQueryClient();
  return useCallback(
    (task) => {
      let close = (): void => {};
      const pending = deleteSoon([task.id], {
        onDeleted: (ids) => forgetTasks(queryClient, new Set(ids)),
        onFailed: ([failure]) => {
          const problem = failure?.error ? describeProblem(failure.error) : null;
          const detail = problem ? [problem.detail, problem.action].filter(Boolean).join(" ") : (failure?.code ?? "");
          showToast({ tone: "error", text: strings.removeRefused, detail });
        },
        onLeaving: () => close(),
      });
      close = showToast({
        text: strings.removed,
        detail: task.prompt,
        lasts: undoTime,
        action: { label: strings.undo, run: () => pending.undo() && showAgain(task.id) },
      });
    },
    [queryClient],
  );
}

/** Puts a task back onto the stage, unless the person has gone to another page meanwhile. */
function showAgain(taskId: string): void {
  if (window.location.pathname !== studio) return;
  void navigate({ to: studio, search: (old) => ({ ...old, task: taskId }), replace: true });
}

const studio = "/";
