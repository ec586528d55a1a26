import { licenceName, type StudioModel } from "../../../../api/models.ts";
import { localize } from "../../../../ui/language.ts";
import { Segments } from "../../../../ui/segments.tsx";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { strings } from "../strings.ts";
import { Availability } from "./availability.tsx";
import { ModelPicker } from "./model-picker.tsx";
import { Section } from "./section.tsx";

/** What makes the picture, and from what. */
export function ModelAndMode({ models }: { models: readonly StudioModel[] }) {
  const form = useRecipeForm();
  const { model } = form;
  const mode = model.modes.find((candidate) => candidate.id === form.mode);
  return (
    <Section label={strings.modelAndMode}>
      <ModelPicker models={models} />
      <div className={model.modes.length > 2 ? "segments-two-rows" : undefined}>
        <Segments
          label={strings.mode}
          options={model.modes.map((candidate) => ({
            value: candidate.id,
            label: localize(candidate.label),
            disabledReason: model.unavailable_modes.includes(candidate.id) ? strings.modeUnavailable : null,
          }))}
          value={form.mode}
          onChange={form.chooseMode}
        />
      </div>
      {mode ? <p className="hint">{localize(mode.description)}</p> : null}
      <p className="flex flex-wrap gap-x-3 gap-y-1 text-label text-faint">
        <Availability model={model} />
        <a
          className="licence-link"
          href={model.licence.link}
          title={localize(model.licence.note)}
          rel="noreferrer"
          target="_blank"
        >
          {licenceName(model)}
        </a>
      </p>
    </Section>
  );
}
