import { type FormEvent, useEffect, useMemo, useRef } from "react";
import type { StudioModel } from "../../../../api/models.ts";
import { belongsTo, type FieldErrors, FieldErrorsContext } from "../hooks/use-field-errors.ts";
import { useFocusOnRefusal } from "../hooks/use-focus-on-refusal.ts";
import { RecipeContext, type RecipeForm } from "../hooks/use-recipe.ts";
import type { Submit } from "../hooks/use-submit.ts";
import { useSubmitKeys } from "../hooks/use-submit-keys.ts";
import { fieldWords } from "../model/field-words.ts";
import { requestBody } from "../model/recipe.ts";
import { strings } from "../strings.ts";
import { Advanced } from "./advanced.tsx";
import { FrameFields } from "./frame-fields.tsx";
import { ModelAndMode } from "./model-and-mode.tsx";
import { PromptFields } from "./prompt-fields.tsx";
import { ReferenceFields } from "./reference-fields.tsx";
import { SeedField } from "./seed-field.tsx";
import { SubmitBar } from "./submit-bar.tsx";

interface RecipeProps {
  models: readonly StudioModel[];
  form: RecipeForm;
  submit: Submit;
  online: boolean;
}

/** Everything that makes a picture, in the order in which it is thought of, and the button that starts it. */
export function Recipe({ models, form, submit, online }: RecipeProps) {
  const element = useRef<HTMLFormElement>(null);
  const errors = useFieldErrorsOf(submit, form.model);
  const seed = form.parameters.find((parameter) => parameter.control === "seed");
  const { dismiss } = submit;
  // What was wrong with one model and mode says nothing about another.
  const pair = `${form.model.id} ${form.mode}`;
  useEffect(() => dismiss(), [dismiss, pair]);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (online && form.model.available && submit.state.phase !== "sending")
      submit.send(requestBody(form.recipe, form.model));
  };
  useSubmitKeys(element);
  useFocusOnRefusal(element, submit.state);
  return (
    <RecipeContext value={form}>
      <FieldErrorsContext value={errors}>
        <form ref={element} className="studio-recipe" aria-label={strings.recipe} noValidate onSubmit={onSubmit}>
          <div className="studio-recipe-body">
            <ModelAndMode models={models} />
            <PromptFields servedBySketch={form.model.engine === "sketch"} />
            <ReferenceFields />
            <FrameFields />
            {seed ? <SeedField parameter={seed} /> : null}
            <Advanced />
          </div>
          <SubmitBar submit={submit} online={online} />
        </form>
      </FieldErrorsContext>
    </RecipeContext>
  );
}

function useFieldErrorsOf({ state, clearField }: Submit, model: StudioModel): FieldErrors {
  return useMemo(() => {
    const fields = state.phase === "refused" ? state.problem.fields : [];
    return {
      errorOn: (field) => {
        const fault = fields.find((error) => belongsTo(error.field, field));
        return fault ? fieldWords(model, fault) : null;
      },
      clear: clearField,
    };
  }, [state, clearField, model]);
}
