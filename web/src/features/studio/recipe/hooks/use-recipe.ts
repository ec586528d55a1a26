import { createContext, useContext, useMemo } from "react";
import type { Parameter, StudioModel } from "../../../../api/models.ts";
import {
  chosenMode,
  chosenModel,
  defaultOf,
  heldValue,
  isRelevant,
  numbersIn,
  parametersInForce,
  type Recipe,
  valueOf,
  withNamedValues,
  withValue,
} from "../model/recipe.ts";
import { changeRecipe, useCurrentRecipe } from "../model/recipe-store.ts";
import type { Value } from "../model/values.ts";

/** The form as its parts see it: the model and mode in force, and every parameter's value. */
export interface RecipeForm {
  recipe: Recipe;
  model: StudioModel;
  mode: string;
  /** Parameters in force that matter now, in the catalog's order. */
  parameters: readonly Parameter[];
  value: (parameter: Parameter) => Value | undefined;
  /** The value as it stands in a text field; "" for pictures and for nothing. */
  text: (parameter: Parameter) => string;
  numbers: () => Readonly<Record<string, number>>;
  set: (parameter: Parameter, value: Value | undefined) => void;
  setByName: (values: Readonly<Record<string, Value>>) => void;
  setCopies: (copies: number) => void;
  chooseModel: (id: string) => void;
  chooseMode: (id: string) => void;
  reset: (parameters: readonly Parameter[]) => void;
  isChanged: (parameter: Parameter) => boolean;
  isRequired: (parameter: Parameter) => boolean;
}

export const RecipeContext = createContext<RecipeForm | null>(null);

/** The form that this part stands in. */
export function useRecipeForm(): RecipeForm {
  const form = useContext(RecipeContext);
  if (form === null) throw new Error("useRecipeForm is for parts of the recipe form.");
  return form;
}

/** The recipe of this tab as a form; null while there are no models to choose from. */
export function useRecipe(models: readonly StudioModel[]): RecipeForm | null {
  const recipe = useCurrentRecipe();
  const model = chosenModel(models, recipe);
  return useMemo(() => (model ? createForm(recipe, model) : null), [recipe, model]);
}

function createForm(recipe: Recipe, model: StudioModel): RecipeForm {
  const mode = chosenMode(model, recipe);
  const value = (parameter: Parameter) => valueOf(recipe, model, parameter);
  return {
    recipe,
    model,
    mode,
    parameters: parametersInForce(model, mode).filter((parameter) => isRelevant(recipe, model, mode, parameter)),
    value,
    text: (parameter) => textOf(value(parameter)),
    numbers: () => numbersIn(recipe, model, mode),
    set: (parameter, next) => changeRecipe((current) => withValue(current, model, parameter, next)),
    setByName: (values) => changeRecipe((current) => withNamedValues(current, model, values)),
    setCopies: (copies) => changeRecipe((current) => ({ ...current, copies })),
    chooseModel: (id) => changeRecipe((current) => ({ ...current, model: id })),
    chooseMode: (id) =>
      changeRecipe((current) => ({ ...current, model: model.id, modes: { ...current.modes, [model.id]: id } })),
    reset: (parameters) =>
      changeRecipe((current) =>
        parameters.reduce((kept, parameter) => withValue(kept, model, parameter, undefined), current),
      ),
    isRequired: (parameter) => parameter.required_in.includes(mode),
    isChanged: (parameter) => !parameter.locked && heldValue(recipe, model, parameter) !== defaultOf(parameter),
  };
}

function textOf(value: Value | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
