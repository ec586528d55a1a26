import "./styles/index.css";
import { RotateCcw } from "lucide-react";
import { useCallback, useRef } from "react";
import { useModels } from "../../api/models.ts";
import { describeProblem } from "../../api/problems.ts";
import { useTasks } from "../../api/tasks.ts";
import { ProblemNote } from "../../ui/problem-note.tsx";
import { Queue } from "./components/queue.tsx";
import { Recipe } from "./components/recipe.tsx";
import { Stage } from "./components/stage.tsx";
import { Strip } from "./components/strip.tsx";
import { useChosenTask } from "./hooks/use-chosen-task.ts";
import { useRecipe } from "./hooks/use-recipe.ts";
import { useSubmit } from "./hooks/use-submit.ts";
import { strings } from "./strings.ts";

/** The page on which pictures are made: recipe, stage, and what runs. */
export function Studio({ online }: { online: boolean }) {
  const models = useModels();
  const tasks = useTasks();
  const { chosen, choose } = useChosenTask();
  const form = useRecipe(models.data ?? []);
  const stage = useRef<HTMLElement>(null);
  const onAccepted = useCallback(
    (id: string) => {
      choose(id);
      // Where the recipe stands below the picture, what was just started would be out of sight.
      stage.current?.scrollIntoView({ block: "start" });
    },
    [choose],
  );
  const submit = useSubmit(onAccepted);
  const listed = tasks.tasks ?? [];
  const shown = listed.find((task) => task.id === chosen) ?? listed[0] ?? null;
  const shownId = shown?.id ?? null;
  const setPrompt = useCallback(
    (prompt: string) => {
      const field = form?.parameters.find((parameter) => parameter.group === "prompt" && form.isRequired(parameter));
      if (field) form?.set(field, prompt);
    },
    [form],
  );
  return (
    <main id="main" className="studio">
      <h1 className="visually-hidden">{strings.title}</h1>
      {form ? (
        <Recipe models={models.data ?? []} form={form} submit={submit} online={online} />
      ) : (
        <div className="studio-recipe">
          {models.error ? <Failed title={strings.modelsFailed} query={models} /> : null}
        </div>
      )}
      <section ref={stage} className="studio-stage" aria-label={strings.picture}>
        {tasks.error && listed.length === 0 ? (
          <Failed title={strings.tasksFailed} query={tasks} />
        ) : (
          <Stage task={shown} loading={tasks.isPending} onExample={setPrompt} />
        )}
        <Strip tasks={listed} chosen={shownId} onChoose={choose} />
      </section>
      <Queue tasks={listed} active={tasks.active} chosen={shownId} onChoose={choose} />
    </main>
  );
}

function Failed({ title, query }: { title: string; query: { error: unknown; refetch: () => Promise<unknown> } }) {
  const problem = describeProblem(query.error);
  return (
    <ProblemNote
      title={title}
      action={[problem.detail, problem.action].filter(Boolean).join(" ")}
      code={problem.code}
      reference={problem.reference}
      referenceLabel={strings.reference}
    >
      <button type="button" className="btn" onClick={() => void query.refetch()}>
        <RotateCcw className="icon" aria-hidden="true" />
        {strings.tryAgain}
      </button>
    </ProblemNote>
  );
}
