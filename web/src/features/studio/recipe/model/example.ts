import type { StudioModel } from "../../../../api/models.ts";
import { chosenMode, chosenModel, parametersInForce, withValue } from "./recipe.ts";
import { changeRecipe } from "./recipe-store.ts";

/** Writes an example into the field that every recipe needs. */
export function writePrompt(models: readonly StudioModel[], prompt: string): void {
  changeRecipe((recipe) => {
    const model = chosenModel(models, recipe);
    if (model === undefined) return recipe;
    const mode = chosenMode(model, recipe);
    const field = parametersInForce(model, mode).find(
      ({ group, required_in }) => group === "prompt" && required_in.includes(mode),
    );
    return field === undefined ? recipe : withValue(recipe, model, field, prompt);
  });
}
