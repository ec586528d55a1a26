import "./index.css";
import { useCallback, useRef } from "react";
import { useModels } from "../../api/models.ts";
import { useTask, useTasks } from "../../api/tasks.ts";
import { Failed } from "./failed.tsx";
import { Queue } from "./queue/queue.tsx";
import { Recipe } from "./recipe/components/recipe.tsx";
import { useRecipe } from "./recipe/hooks/use-recipe.ts";
import { useSubmit } from "./recipe/hooks/use-submit.ts";
import { StageColumn } from "./stage/stage-column.tsx";
import { strings } from "./strings.ts";
import { useChosenTask } from "./use-chosen-task.ts";

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
  const inList = listed.find((task) => task.id === chosen);
  // A link may lead to a task that is no longer among the latest.
  const elsewhere = useTask(tasks.tasks !== undefined && inList === undefined ? chosen : null);
  const shown = inList ?? elsewhere.data ?? listed[0] ?? null;
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
          {models.error ? (
            <Failed title={strings.modelsFailed} error={models.error} onRetry={() => void models.refetch()} />
          ) : null}
        </div>
      )}
      <StageColumn
        column={stage}
        tasks={listed}
        shown={shown}
        loading={tasks.isPending}
        error={tasks.error}
        onRetry={() => void tasks.refetch()}
        onChoose={choose}
        onExample={setPrompt}
      />
      <Queue tasks={listed} active={tasks.active} chosen={shownId} onChoose={choose} />
    </main>
  );
}
