import { createContext, useCallback, useContext, useEffect, useMemo, useState } from "react";
import type { Parameter, StudioModel } from "../../../../api/models.ts";
import { keepDraft, readDraft } from "../model/draft.ts";
import {
  chosenMode,
  chosenModel,
  defaultOf,
  isRelevant,
  parametersInForce,
  type Recipe,
  type Value,
  valueOf,
  withValue,
} from "../model/recipe.ts";

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

/** The recipe of this tab, kept over a reload; null while there are no models to choose from. */
export function useRecipe(models: readonly StudioModel[]): RecipeForm | null {
  const [recipe, setRecipe] = useState<Recipe>(readDraft);
  useEffect(() => keepDraft(recipe), [recipe]);
  const model = chosenModel(models, recipe);
  const setByName = useCallback(
    (values: Readonly<Record<string, Value>>) => {
      if (model === undefined) return;
      setRecipe((current) => withNamedValues(current, model, values));
    },
    [model],
  );
  return useMemo(() => (model ? createForm(recipe, model, setRecipe, setByName) : null), [recipe, model, setByName]);
}

type SetRecipe = (change: (current: Recipe) => Recipe) => void;

function createForm(
  recipe: Recipe,
  model: StudioModel,
  setRecipe: SetRecipe,
  setByName: RecipeForm["setByName"],
): RecipeForm {
  const mode = chosenMode(model, recipe);
  const inForce = parametersInForce(model, mode);
  const value = (parameter: Parameter) => valueOf(recipe, model, parameter);
  return {
    recipe,
    model,
    mode,
    parameters: inForce.filter((parameter) => isRelevant(recipe, model, mode, parameter)),
    value,
    text: (parameter) => textOf(value(parameter)),
    numbers: () =>
      Object.fromEntries(
        inForce.flatMap((parameter) => {
          const held = value(parameter);
          return typeof held === "number" ? [[parameter.name, held]] : [];
        }),
      ),
    set: (parameter, next) => setRecipe((current) => withValue(current, model, parameter, next)),
    setByName,
    chooseModel: (id) => setRecipe((current) => ({ ...current, model: id })),
    chooseMode: (id) =>
      setRecipe((current) => ({ ...current, model: model.id, modes: { ...current.modes, [model.id]: id } })),
    reset: (parameters) =>
      setRecipe((current) =>
        parameters.reduce((kept, parameter) => withValue(kept, model, parameter, undefined), current),
      ),
    isRequired: (parameter) => parameter.required_in.includes(mode),
    isChanged: (parameter) => !parameter.locked && value(parameter) !== defaultOf(parameter),
  };
}

function textOf(value: Value | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function withNamedValues(recipe: Recipe, model: StudioModel, values: Readonly<Record<string, Value>>): Recipe {
  return Object.entries(values).reduce((current, [name, value]) => {
    const parameter = model.parameters.find((candidate) => candidate.name === name);
    return parameter ? withValue(current, model, parameter, value) : current;
  }, recipe);
}
