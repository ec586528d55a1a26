import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import {
  deleteSelection,
  downloadSelection,
  type GalleryFilters,
  readExtent,
  recount,
  type Selection,
  withoutOrder,
} from "../../api/gallery.ts";
import { describeProblem } from "../../api/problems.ts";
import { forgetTasks } from "../../api/tasks.ts";
import { confirmAction } from "../../ui/confirm.tsx";
import { showToast } from "../../ui/toast-store.ts";
import { countText } from "./item-words.ts";
import { strings } from "./strings.ts";
import { sayFailures } from "./use-delete.ts";

export interface AllActions {
  /** Everything that matches as one zip. */
  zip: () => Promise<void>;
  /** Asks, and deletes everything that matches. Resolves true when it was done. */
  remove: () => Promise<boolean>;
}

/** What can be done with everything the filters let through, loaded or not. */
export function useAll(filters: GalleryFilters): AllActions {
  const queryClient = useQueryClient();
  const zip = useCallback(() => download(async () => (await allNow(filters)).selection), [filters]);
  const remove = useCallback(async () => {
    try {
      const { selection, count, exact } = await allNow(filters);
      if (count === 0 || !(await isMeant(filters, count, exact))) return false;
      const close = showToast({ text: strings.deletingAll, lasts: 60_000 });
      const { deleted, failed } = await deleteSelection(selection).finally(close);
      forgetTasks(queryClient, new Set(deleted));
      recount(queryClient);
      showToast({ text: strings.deleted(deleted.length) });
      sayFailures(failed.map(({ id, code }) => ({ ids: [id], code, error: null })));
      return true;
    } catch (error) {
      sayProblem(strings.failed, error);
      return false;
    }
  }, [filters, queryClient]);
  return { zip, remove };
}

/** Starts the download of a zip and says so. */
export async function download(selectionOf: () => Promise<Selection>): Promise<void> {
  try {
    await downloadSelection(await selectionOf());
    showToast({ text: strings.zipStarted });
  } catch (error) {
    sayProblem(strings.zipFailed, error);
  }
}

export function sayProblem(text: string, error: unknown): void {
  const { detail, action } = describeProblem(error);
  showToast({ tone: "error", text, detail: [detail, action].filter(Boolean).join(" ") });
}

/** All that match at this moment: what is finished while the question stands was not asked about. */
async function allNow(filters: GalleryFilters) {
  const { count, exact, newest } = await readExtent(filters);
  const bounded = newest === null ? withoutOrder(filters) : { ...withoutOrder(filters), to: newest };
  return { selection: { all: true, filters: bounded } as const, count, exact };
}

function isMeant(filters: GalleryFilters, count: number, exact: boolean): Promise<boolean> {
  const text = countText(count, exact);
  const everything = Object.keys(withoutOrder(filters)).length === 0;
  return confirmAction({
    title: everything ? strings.confirm.allTitle(text) : strings.confirm.someTitle(text),
    text: everything ? strings.confirm.allText : strings.confirm.someText,
    confirm: strings.confirm.button(text),
    danger: true,
    ...(everything ? { typed: String(count) } : {}),
  });
}
