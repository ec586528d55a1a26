import { useCallback } from "react";
import { useFavourite } from "../../../api/gallery.ts";
import { describeProblem } from "../../../api/problems.ts";
import { useResubmit } from "../../../api/resubmit.ts";
import type { Task } from "../../../api/tasks.ts";
import { useShortcuts } from "../../../ui/shortcuts.ts";
import { showToast } from "../../../ui/toast-store.ts";
import { copyText } from "./copy-text.ts";
import { strings } from "./result-strings.ts";
import { useRemove } from "./use-remove.ts";
import { type TakenAs, useTakeOver } from "./use-take-over.ts";

export interface ResultDeeds {
  takeAs: (as: TakenAs) => void;
  vary: () => void;
  runAgain: () => void;
  remove: () => void;
  favourite: boolean;
  toggleFavourite: () => void;
}

/** What can be done with a result, by buttons, menu and keys. `download` saves it as the visible link does. */
export function useResultActions(task: Task, onFollow: (taskId: string) => void, download: () => void): ResultDeeds {
  const resubmit = useResubmit();
  const takeOver = useTakeOver();
  const removeTask = useRemove();
  const mark = useFavourite(tellRefused);
  const favourite = mark.isPending ? mark.variables.favourite : task.favourite;
  const run = async (kind: "vary" | "retry") => {
    const id = await resubmit[kind](task);
    if (id !== null) onFollow(id);
  };
  const deeds: ResultDeeds = {
    takeAs: (as) => takeOver(task.id, as),
    vary: () => void run("vary"),
    runAgain: () => void run("retry"),
    remove: () => removeTask(task),
    favourite,
    toggleFavourite: () => mark.mutate({ ids: [task.id], favourite: !favourite }),
  };
  const copySeed = useCopySeed(task.seed);
  useShortcuts(strings.result, {
    u: { label: strings.use, run: () => deeds.takeAs("settings") },
    v: { label: strings.vary, run: deeds.vary },
    r: { label: strings.reference, run: () => deeds.takeAs("reference") },
    d: { label: strings.download, run: download },
    c: { label: strings.copySeed, run: copySeed },
    Delete: { label: strings.remove, run: deeds.remove },
  });
  return deeds;
}

/** Copies a seed and says so. */
export function useCopySeed(seed: number): () => void {
  return useCallback(() => {
    void copyText(String(seed)).then((copied) =>
      showToast(
        copied
          ? { text: strings.seedCopied, detail: String(seed), lasts: 3_000 }
          : { tone: "error", text: strings.notCopied, detail: String(seed) },
      ),
    );
  }, [seed]);
}

function tellRefused(error: unknown): void {
  const { detail, action } = describeProblem(error);
  showToast({ tone: "error", text: strings.favouriteRefused, detail: [detail, action].filter(Boolean).join(" ") });
}
