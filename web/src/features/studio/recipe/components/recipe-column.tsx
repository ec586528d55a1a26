import { type StudioModel, useCatalogVersion } from "../../../../api/models.ts";
import { useArrivals } from "../hooks/use-arrivals.ts";
import { useDroppedFiles } from "../hooks/use-dropped-files.ts";
import { useHandOver } from "../hooks/use-hand-over.ts";
import { type RecipeForm, useRecipe } from "../hooks/use-recipe.ts";
import { useSubmit } from "../hooks/use-submit.ts";
import { Recipe } from "./recipe.tsx";

interface RecipeColumnProps {
  models: readonly StudioModel[];
  online: boolean;
  /** A press was taken: the first of its tasks. */
  onAccepted: (taskId: string) => void;
}

/** The recipe with everything that can come into it from outside: dropped files, pasted pictures, other results. */
export function RecipeColumn({ models, online, onAccepted }: RecipeColumnProps) {
  const form = useRecipe(models);
  return form === null ? null : <FilledColumn models={models} form={form} online={online} onAccepted={onAccepted} />;
}

function FilledColumn({ models, form, online, onAccepted }: RecipeColumnProps & { form: RecipeForm }) {
  const { model, mode } = form;
  const submit = useSubmit(onAccepted);
  const surroundings = { models, model, mode, catalogVersion: useCatalogVersion() };
  const arrivals = useArrivals(surroundings);
  const dragged = useDroppedFiles(([file]) => file && arrivals.takeFile(file));
  useHandOver(surroundings, arrivals.takeRecipe);
  return <Recipe models={models} form={form} submit={submit} online={online} arrivals={arrivals} dragged={dragged} />;
}
