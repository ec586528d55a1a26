import { createContext, useContext, useMemo } from "react";
import { type FieldFault, fieldFaultWords } from "../../../../api/words/field-errors.ts";
import { belongsTo, faultsInSight, faultsOf } from "../model/faults.ts";
import type { RecipeForm } from "./use-recipe.ts";
import type { Submit } from "./use-submit.ts";

/** What is wrong with the fields: what the form sees by itself, and what the server refused until it is changed. */
export interface FieldErrors {
  /** The first reason against this field or anything inside it; null when there is none. */
  errorOn: (field: string) => string | null;
  clear: (field: string) => void;
}

export const FieldErrorsContext = createContext<FieldErrors>({ errorOn: () => null, clear: () => {} });

export function useFieldErrors(): FieldErrors {
  return useContext(FieldErrorsContext);
}

/** Every fault to be shown now. What is merely missing counts once the button was pressed (`tried`). */
export function useFaults(form: RecipeForm, submit: Submit, tried: boolean): readonly FieldFault[] {
  const { recipe, model, mode } = form;
  const own = useMemo(
    () => (tried ? faultsOf(recipe, model, mode) : faultsInSight(recipe, model, mode)),
    [recipe, model, mode, tried],
  );
  const { state } = submit;
  return useMemo(() => {
    const refused = state.phase === "refused" ? state.problem.fields : [];
    return [...own, ...refused.filter(({ field }) => !own.some((fault) => fault.field === field))];
  }, [own, state]);
}

/** The faults as the fields of the form ask for them. */
export function useErrorsOf(form: RecipeForm, faults: readonly FieldFault[], clear: Submit["clearField"]): FieldErrors {
  return useMemo(
    () => ({
      errorOn: (field) => {
        const fault = faults.find((error) => belongsTo(error.field, field));
        return fault ? fieldFaultWords(form.model, fault, form.numbers()) : null;
      },
      clear,
    }),
    [form, faults, clear],
  );
}
