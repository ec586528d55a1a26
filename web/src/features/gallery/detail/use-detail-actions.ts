import { type GalleryItem, useFavourite } from "../../../api/gallery.ts";
import type { Resubmit } from "../../../api/resubmit.ts";
import { useShortcuts } from "../../../ui/shortcuts.ts";
import { showToast } from "../../../ui/toast-store.ts";
import { strings } from "../strings.ts";
import { sayProblem } from "../use-all.ts";
import { useDelete } from "../use-delete.ts";

export interface PictureActions {
  use: () => void;
  vary: () => void;
  /** Null where there is no picture to begin with. */
  reference: (() => void) | null;
  animate: (() => void) | null;
  copySeed: () => void;
  copyId: () => void;
  copyRecipe: () => void;
  favourite: () => void;
  remove: () => void;
}

/** Everything that can be done with the open picture, by button and by key. */
export function useDetailActions(item: GalleryItem, resubmit: Resubmit, leave: (href: string) => void): PictureActions {
  const mark = useFavourite((error) => sayProblem(strings.detail.favouriteFailed, error));
  const remove = useDelete();
  const studio = (as: string) => () => leave(`/?use=${encodeURIComponent(item.id)}&as=${as}`);
  const isPicture = item.type === "image" && !item.result_missing;
  const actions: PictureActions = {
    use: studio("settings"),
    vary: () => void resubmit.vary(item),
    reference: isPicture ? studio("reference") : null,
    animate: isPicture ? studio("animate") : null,
    copySeed: () => void copy(String(item.seed), strings.detail.seedCopied),
    copyId: () => void copy(item.id, strings.detail.copied),
    copyRecipe: () => void copy(recipeText(item), strings.detail.copied),
    favourite: () => mark.mutate({ ids: [item.id], favourite: !item.favourite }),
    remove: () => remove([item]),
  };
  useShortcuts(strings.keys.detail, {
    u: { label: strings.detail.use, run: actions.use },
    v: { label: strings.detail.vary, run: actions.vary },
    ...(actions.reference && { r: { label: strings.detail.reference, run: actions.reference } }),
    ...(item.result_missing ? {} : { d: { label: strings.keys.download, run: () => save(item) } }),
    c: { label: strings.detail.copySeed, run: actions.copySeed },
    s: { label: strings.keys.favourite, run: actions.favourite },
    Delete: { label: strings.keys.delete, run: actions.remove },
  });
  return actions;
}

/** The address under which the browser saves the file. */
export function fileAddress(item: GalleryItem, { recipe }: { recipe: boolean }): string {
  const parameters = recipe ? "download=1" : "download=1&metadata=0";
  return `${item.result_url}${item.result_url.includes("?") ? "&" : "?"}${parameters}`;
}

function save(item: GalleryItem): void {
  const link = document.createElement("a");
  link.href = fileAddress(item, { recipe: true });
  link.download = "";
  link.click();
}

async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    showToast({ text: done });
  } catch {
    // A page on a plain address has no clipboard, or the browser said no.
    showToast({ tone: "error", text: strings.detail.copyFailed });
  }
}

/** The recipe as POST /generate would take it. */
export function recipeText(item: GalleryItem): string {
  const { model, type, mode, prompt, negative_prompt, parameters, seed } = item;
  return JSON.stringify({ model, type, mode, prompt, negative_prompt, ...parameters, seed }, null, 2);
}
