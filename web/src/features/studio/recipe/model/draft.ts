// The recipe outlives a reload of the page, not the tab: nothing typed is lost by accident, nothing lingers.
import { emptyRecipe, type Recipe } from "./recipe.ts";

const storageKey = "safelight.studio.recipe";

export function readDraft(): Recipe {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? "null");
    return isRecipe(stored) ? { ...emptyRecipe, ...stored } : emptyRecipe;
  } catch {
    return emptyRecipe; // no storage, or a text of another release
  }
}

export function keepDraft(recipe: Recipe): void {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(recipe));
  } catch {
    // Without storage the recipe lasts as long as the page.
  }
}

function isRecipe(value: unknown): value is Recipe {
  return (
    typeof value === "object" &&
    value !== null &&
    "shared" in value &&
    "own" in value &&
    "modes" in value &&
    "model" in value
  );
}
