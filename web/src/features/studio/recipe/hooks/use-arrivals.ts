import { useState } from "react";
import { describeProblem } from "../../../../api/problems.ts";
import { showToast } from "../../../../ui/toasts.tsx";
import type { SavedRecipe } from "../model/saved-recipe.ts";
import type { Arrivals, Notice, Reception, Surroundings } from "./arrivals.ts";

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
