import { type FormEvent, useEffect, useRef, useState } from "react";
import type { StudioModel } from "../../../../api/models.ts";
import type { Arrivals } from "../hooks/arrivals.ts";
import { FieldErrorsContext, useErrorsOf, useFaults } from "../hooks/use-field-errors.ts";
import { useFocusOnFault } from "../hooks/use-focus-on-fault.ts";
import { RecipeContext, type RecipeForm } from "../hooks/use-recipe.ts";
import type { Submit } from "../hooks/use-submit.ts";
import { useSubmitKeys } from "../hooks/use-submit-keys.ts";
import { faultsOf } from "../model/faults.ts";
import { orderOf } from "../model/order.ts";
import { strings } from "../strings.ts";
import { Advanced } from "./advanced.tsx";
import { ArrivalNote } from "./arrival-note.tsx";
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
  arrivals: Arrivals;
  /** Files are being dragged over the page. */
  dragged: boolean;
}

/** Everything that makes a picture, in the order in which it is thought of, and the button that starts it. */
export function Recipe({ models, form, submit, online, arrivals, dragged }: RecipeProps) {
  const element = useRef<HTMLFormElement>(null);
  const { model, mode, recipe } = form;
  const { state, dismiss } = submit;
  // What was wrong with one model and mode says nothing about another.
  const pair = `${model.id} ${mode}`;
  // The press that found faults; every such press takes the focus to the first of them.
  const [faulty, setFaulty] = useState<{ pair: string } | null>(null);
  const tried = faulty?.pair === pair;
  const faults = useFaults(form, submit, tried);
  const errors = useErrorsOf(form, faults, submit.clearField);
  const seed = form.parameters.find((parameter) => parameter.control === "seed");
  useEffect(() => dismiss(), [dismiss, pair]);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (!online || !model.available || state.phase === "sending" || state.phase === "waiting") return;
    const wrong = faultsOf(recipe, model, mode).length > 0;
    setFaulty(wrong ? { pair } : null);
    if (!wrong) submit.send(orderOf(recipe, model, mode));
  };
  useSubmitKeys(element);
  useFocusOnFault(element, faulty);
  useFocusOnFault(element, state.phase === "refused" ? state.problem.reference : null);
  return (
    <RecipeContext value={form}>
      <FieldErrorsContext value={errors}>
        <form
          ref={element}
          className="studio-recipe"
          aria-label={strings.recipe}
          data-dragged={dragged || undefined}
          noValidate
          onSubmit={onSubmit}
        >
          <div className="studio-recipe-body">
            {dragged ? (
              <p className="drop-here" aria-hidden="true">
                {strings.dropHere}
              </p>
            ) : null}
            <ArrivalNote arrivals={arrivals} />
            <ModelAndMode models={models} />
            <PromptFields servedBySketch={model.engine === "sketch"} />
            <ReferenceFields />
            <FrameFields />
            {seed ? <SeedField parameter={seed} /> : null}
            <Advanced />
          </div>
          <SubmitBar submit={submit} online={online} faults={tried || state.phase === "refused" ? faults : []} />
        </form>
      </FieldErrorsContext>
    </RecipeContext>
  );
}
