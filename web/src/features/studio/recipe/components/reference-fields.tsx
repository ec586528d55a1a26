import { later } from "../../../../ui/later.tsx";
import { useRecipeForm } from "../hooks/use-recipe.ts";

// The mode that a first visit sees needs no picture.
const ReferenceSection = later(() => import("./reference-section.tsx").then((module) => module.ReferenceSection));

/** The pictures a mode works from, where it works from any. */
export function ReferenceFields() {
  const { parameters } = useRecipeForm();
  return parameters.some(({ group }) => group === "references") ? <ReferenceSection /> : null;
}
