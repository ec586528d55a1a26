import "./index.css";
import { useCallback, useRef } from "react";
import { useModels } from "../../api/models.ts";
import { useTasks } from "../../api/tasks.ts";
import { Ghost, GhostArea } from "../../ui/ghost.tsx";
import { Failed } from "./failed.tsx";
import { Queue } from "./queue/queue.tsx";
import { RecipeColumn } from "./recipe/components/recipe-column.tsx";
import { writePrompt } from "./recipe/model/example.ts";
import { StageColumn } from "./stage/stage-column.tsx";
import { useStageTask } from "./stage/use-stage-task.ts";
import { strings } from "./strings.ts";
import { useChosenTask } from "./use-chosen-task.ts";

/** Shapes of the form, for as long as it is not known who offers what. */
function RecipeOnItsWay() {
  return (
    <GhostArea label={strings.modelsLoading} className="grid gap-4 p-4">
      <Ghost className="h-14" />
      <Ghost className="h-16" />
      <Ghost className="h-28" />
    </GhostArea>
  );
}

/** The page on which pictures are made: recipe, stage, and what runs. */
export function Studio({ online }: { online: boolean }) {
  const models = useModels();
  const tasks = useTasks();
  const onStage = useStageTask(tasks.tasks, useChosenTask());
  const { follow, show } = onStage;
  const stage = useRef<HTMLElement>(null);
  const onAccepted = useCallback(
    (id: string) => {
      follow(id);
      // Where the recipe stands below the picture, what was just started would be out of sight.
      stage.current?.scrollIntoView({ block: "start" });
    },
    [follow],
  );
  const offered = models.data;
  const setPrompt = useCallback((prompt: string) => writePrompt(offered ?? [], prompt), [offered]);
  return (
    <main id="main" className="studio">
      <h1 className="visually-hidden">{strings.title}</h1>
      {offered ? (
        <RecipeColumn models={offered} online={online} onAccepted={onAccepted} />
      ) : (
        <div className="studio-recipe">
          {models.error ? (
            <Failed title={strings.modelsFailed} error={models.error} onRetry={() => void models.refetch()} />
          ) : (
            <RecipeOnItsWay />
          )}
        </div>
      )}
      <StageColumn
        column={stage}
        stage={onStage}
        loading={tasks.isPending}
        error={tasks.error}
        onRetry={() => void tasks.refetch()}
        onExample={setPrompt}
      />
      <Queue tasks={onStage.latest} active={tasks.active} chosen={onStage.shown?.id ?? null} onChoose={show} />
    </main>
  );
}
