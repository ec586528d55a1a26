import { useState } from "react";
import type { StudioModel } from "../../../../api/models.ts";
import { describeProblem } from "../../../../api/problems.ts";
import { showToast } from "../../../../ui/toasts.tsx";
import type { SavedRecipe } from "../model/saved-recipe.ts";

/** Something to be said about what arrived, with what can be done about it. */
export interface Notice {
  title: string;
  lines: readonly string[];
  actions: readonly { label: string; run: () => void }[];
}

export interface Arrivals {
  notice: Notice | null;
  dismiss: () => void;
  /** Name of the file that is being read or sent; null when none is. */
  busy: string | null;
  /** A file that was dropped or pasted beside every place for pictures. */
  takeFile: (file: File) => void;
  /** Fills the form from a saved recipe; `name` is the file it came in. */
  takeRecipe: (saved: SavedRecipe, name: string | null) => Promise<void>;
}

export interface Surroundings {
  models: readonly StudioModel[];
  model: StudioModel;
  mode: string;
  catalogVersion: string | undefined;
}

/** What taking something in has to tell meanwhile. */
export interface Reception extends Surroundings {
  setNotice: (notice: Notice | null) => void;
  /** Does what concerns a file, and tells what went wrong with it. */
  during: (name: string, work: () => Promise<void>) => Promise<void>;
}

/** What comes into the form from outside: results with their recipes inside, and pictures to start from. */
export function useArrivals(surroundings: Surroundings): Arrivals {
  const [notice, setNotice] = useState<Notice | null>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const during = async (name: string, work: () => Promise<void>) => {
    setBusy(name);
    setNotice(null);
    try {
      await work();
    } catch (error) {
      const { detail, action } = describeProblem(error);
      showToast({ tone: "error", text: detail, detail: action });
    } finally {
      setBusy(null);
    }
  };
  const reception: Reception = { ...surroundings, setNotice, during };
  const takeRecipe = async (saved: SavedRecipe, name: string | null) => {
    const work = await import("./taking-in.ts");
    await work.takeRecipe(reception, saved, name);
  };
  const takeFile = (file: File) =>
    void during(file.name, async () => {
      const work = await import("./taking-in.ts");
      await work.takeFile(reception, file);
    });
  return { notice, dismiss: () => setNotice(null), busy, takeFile, takeRecipe };
}
