import { useRecipeForm } from "../hooks/use-recipe.ts";
import { copyChoices } from "../model/seeds.ts";
import { strings } from "../strings.ts";

/** How many results one press makes. */
export function CopiesPicker() {
  const form = useRecipeForm();
  return (
    <select
      className="input copies num"
      aria-label={strings.copies}
      title={strings.copies}
      value={form.recipe.copies}
      onChange={(event) => form.setCopies(Number(event.target.value))}
    >
      {copyChoices.map((count) => (
        <option key={count} value={count}>
          {strings.copiesOption(count)}
        </option>
      ))}
    </select>
  );
}
