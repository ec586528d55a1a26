import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import type { GalleryItem } from "../../api/gallery.ts";
import { recount } from "../../api/gallery.ts";
import { type DeleteFailure, deleteSoon, undoTime } from "../../api/pending-deletes.ts";
import { describeProblem } from "../../api/problems.ts";
import { forgetTasks } from "../../api/tasks.ts";
import { showToast } from "../../ui/toast-store.ts";
import { strings } from "./strings.ts";

/** Deletes pictures with a few seconds to think better of it. What could not be deleted is back and says why. */
export function useDelete(): (items: readonly Pick<GalleryItem, "id" | "thumbnail_url">[]) => void {
  const queryClient = useQueryClient();
  return useCallback(
    (items) => {
      if (items.length === 0) return;
      const ids = items.map((item) => item.id);
      let close = (): void => {};
      const pending = deleteSoon(ids, {
        onLeaving: () => close(),
        onDeleted: (gone) => {
          forgetTasks(queryClient, new Set(gone));
          recount(queryClient);
        },
        onFailed: sayFailures,
      });
      const url = items[0]?.thumbnail_url;
      close = showToast({
        text: strings.deleted(ids.length),
        ...(url ? { picture: { url } } : {}),
        action: { label: strings.undo, run: () => pending.undo() },
        lasts: undoTime,
      });
    },
    [queryClient],
  );
}

export function sayFailures(failures: readonly DeleteFailure[]): void {
  const count = failures.reduce((sum, failure) => sum + failure.ids.length, 0);
  const first = failures[0];
  if (first === undefined) return;
  showToast({ tone: "error", text: strings.deleteFailed(count), detail: reasonOf(first) });
}

function reasonOf({ code, error }: DeleteFailure): string {
  if (code === "task_not_ended") return strings.deleteRunning;
  if (code !== null) return code;
  const { detail, action } = describeProblem(error);
  return [detail, action].filter(Boolean).join(" ");
}
