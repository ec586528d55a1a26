import { ChevronRight, RotateCcw } from "lucide-react";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { strings } from "../strings.ts";
import { ParameterRow } from "./parameter-row.tsx";

const advancedGroups: readonly string[] = ["length", "quality", "advanced"];

/** Every parameter that has no place of its own above: generated from the catalog, locked ones with their reason. */
export function Advanced() {
  const form = useRecipeForm();
  const parameters = form.parameters.filter((parameter) => advancedGroups.includes(parameter.group));
  const changed = parameters.filter((parameter) => form.isChanged(parameter)).length;
  return (
    <details className="group p-4">
      <summary className="flex min-h-6 list-none items-center gap-2 font-semibold pointer-coarse:min-h-11 max-sm:min-h-11">
        <ChevronRight
          className="icon text-faint transition-[rotate] duration-quick group-open:rotate-90"
          aria-hidden="true"
        />
        {strings.advanced}
        <span className="num ms-auto text-label font-normal text-faint">
          {changed > 0 ? strings.changed(changed) : null}
        </span>
      </summary>
      <div className="mt-2">
        {parameters.map((parameter) => (
          <ParameterRow key={parameter.name} parameter={parameter} />
        ))}
      </div>
      <button type="button" className="btn btn-small btn-quiet -ms-2 mt-1" onClick={() => form.reset(parameters)}>
        <RotateCcw className="icon" aria-hidden="true" />
        {strings.reset}
      </button>
    </details>
  );
}
